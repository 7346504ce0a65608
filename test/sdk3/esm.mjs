import * as api from '@opentelemetry/api';
import * as sdk from '@opentelemetry/sdk-trace';
import * as spanplan from 'spanplan';
import scenario from './scenario.cjs';

console.log(JSON.stringify(await scenario({ api, sdk, spanplan })));
