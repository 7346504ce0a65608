import { Redis } from 'ioredis';
import { Redis as Redis5 } from 'ioredis5';
import { RedisPlanStore } from '../../src/store/redis-plan-store.ts';
import { freshPrefix, redisUrl } from '../support/redis.ts';
import { describePlanStore } from './contract.ts';

const socket = () => redisUrl().slice('unix:'.length);

describePlanStore('RedisPlanStore, from a URL', () => {
  let keyPrefix = '';
  return {
    fresh: () => {
      keyPrefix = freshPrefix();
    },
    make: (limits) => new RedisPlanStore({ url: redisUrl(), keyPrefix, ...limits }),
    isShared: true,
  };
});

describePlanStore('RedisPlanStore, with a client of ioredis 5', () => {
  const client = new Redis5(socket());
  let keyPrefix = '';
  return {
    fresh: () => {
      keyPrefix = freshPrefix();
    },
    make: (limits) => new RedisPlanStore({ client, keyPrefix, ...limits }),
    isShared: true,
    dispose: async () => client.disconnect(),
  };
});

describePlanStore('RedisPlanStore, with a client of ioredis 6 that maps RESP3 replies, and hash tags', () => {
  const client = new Redis(socket(), { replyMapping: 'resp3' });
  let keyPrefix = '';
  return {
    fresh: () => {
      keyPrefix = freshPrefix();
    },
    make: (limits) => new RedisPlanStore({ client, keyPrefix, hashTags: true, ...limits }),
    isShared: true,
    dispose: async () => client.disconnect(),
  };
});

describePlanStore('RedisPlanStore, with a prefix that looks like a pattern', () => {
  let keyPrefix = '';
  return {
    fresh: () => {
      keyPrefix = `nemo_relay:*[x]?\\${freshPrefix()}`;
    },
    make: (limits) => new RedisPlanStore({ url: redisUrl(), keyPrefix, ...limits }),
    isShared: true,
  };
});
