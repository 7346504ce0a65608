import { startBareGrpc, startBareHttp } from './bare-servers.ts';

/** A process that takes the same requests as a sidecar, reads their bodies and drops them. */
const ignore = () => {};
const http = await startBareHttp(ignore);
const grpc = await startBareGrpc(ignore);
process.send?.({ ports: { http, grpc } });
process.on('disconnect', () => process.exit(0));
