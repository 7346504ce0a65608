import { Redis } from 'ioredis';
import { Redis as Redis5 } from 'ioredis5';
import { RedisPlanStore } from '../../src/store/redis-plan-store.ts';
import { freshPrefix, redisUrl } from '../support/redis.ts';
import { describePlanStore } from './contract.ts';
import { storesOf } from './redis-stores.ts';

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
  return storesOf(new Redis5(socket()));
});

describePlanStore('RedisPlanStore, with a client of ioredis 6 that maps RESP3 replies, and hash tags', () => {
  return storesOf(new Redis(socket(), { replyMapping: 'resp3' }), { hashTags: true });
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
