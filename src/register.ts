/**
 * `node --import spanplan/register app.js`: learns from the spans of an application that knows nothing of it, beside
 * whatever processors and exporters it has. Set by `SPANPLAN_*`.
 */

import { Registration } from './register/registration.ts';

// More than one copy of the package may be asked to, where NODE_OPTIONS says so and the command line too.
const STARTED = Symbol.for('spanplan.register');
if (Reflect.get(globalThis, STARTED) === undefined) {
  Reflect.set(globalThis, STARTED, true);
  Registration.start(process.env, (message) => console.warn(message));
}
