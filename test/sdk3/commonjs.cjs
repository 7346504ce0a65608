const api = require('@opentelemetry/api');
const sdk = require('@opentelemetry/sdk-trace');
const spanplan = require('spanplan');
const scenario = require('./scenario.cjs');

scenario({ api, sdk, spanplan }).then((result) => console.log(JSON.stringify(result)));
