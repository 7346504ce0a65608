import fc from 'fast-check';

// Where a test says how long an input may be, fast-check makes none longer than ten of its own accord.
fc.configureGlobal({ ...fc.readConfigureGlobal(), defaultSizeToMaxWhenMaxSpecified: true });
