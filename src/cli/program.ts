import { createRequire } from 'node:module';
import { Command, InvalidArgumentError, Option } from 'commander';
import { parseStoreUrl } from '../store/store-url.ts';
import { CliError } from './cli-error.ts';
import type { LearnOptions } from './learn-options.ts';
import type { Outputs } from './output.ts';
import type { PlanOptions } from './plan.ts';
import { printable } from './printable.ts';
import type { RunsOptions } from './runs.ts';
import type { ServeOptions } from './serve-options.ts';
import { DEFAULT_STORE_URL } from './store-url.ts';
import type { StoreChoice } from './with-store.ts';

/**
 * Declares the commands, their options and their help. What a command does is loaded when it runs.
 * @param finish takes the exit status of a command that ends without an error.
 */
export function createProgram(
  outputs: Outputs,
  stdin: AsyncIterable<Uint8Array>,
  finish: (status: number) => void,
): Command {
  const program = new Command('spanplan')
    .description(
      "Learns from OpenTelemetry spans which tools an agent runs at the same time, and keeps the agent's plan.",
    )
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help for a command')
    .exitOverride()
    .configureHelp({ styleTitle: outputs.out.style.bold })
    .configureOutput({
      writeOut: (text) => outputs.out.write(text),
      writeErr: (text) => outputs.err.write(safeLines(text)),
      getOutHasColors: () => outputs.out.style.isColoured,
      getErrHasColors: () => outputs.err.style.isColoured,
    });
  addLearn(program, outputs, stdin, finish);
  addReaders(program, outputs);
  addForget(program, outputs);
  addServe(program, outputs, finish);
  for (const command of [program, ...program.commands]) {
    const path = command === program ? 'spanplan' : `spanplan ${command.name()}`;
    command.showHelpAfterError(`Usage: ${path} ${command.usage()}\nSee ${path} --help.`);
  }
  return program.addHelpText('after', examples('learn traces.json', 'plan', 'runs research-agent'));
}

function addLearn(
  program: Command,
  outputs: Outputs,
  stdin: AsyncIterable<Uint8Array>,
  finish: (status: number) => void,
): void {
  withStoreOptions(program.command('learn'))
    .summary('learn plans from files of spans')
    .description(
      'Learns from files of spans and writes the plans into a store. Reads OTLP as JSON (one request, a list of them, or ' +
        'one a line as the Collector writes) and as protobuf, and gzip of each; - is standard input.',
    )
    .argument('<files...>', 'files to read, or - for standard input')
    .addOption(
      new Option('--input <kind>', 'what the files hold').choices(['spans', 'runs']).default('spans'),
    )
    .addOption(
      new Option('--cohorts <which>', 'every set of tools seen, or only the maximal ones of a run').choices([
        'every',
        'maximal',
      ]),
    )
    .option('--max-groups <n>', 'most groups that a plan may hold (default: 512)', wholeNumber)
    .option(
      '--min-overlap <millis>',
      'overlap that counts as running at the same time (default: 2; runs: as recorded)',
      millis,
    )
    .addOption(
      new Option('--run <scope>', 'what one run is: the work of one agent, or a whole trace').choices([
        'agent',
        'trace',
      ]),
    )
    .option('--agent <name>', 'learn everything as this agent', agentName)
    .option('--json', 'print one JSON object: {"summary": …, "plans": {AGENT: PLAN}}')
    .option('--explain', "show each span's verdict and the rule behind it (with --json on standard error)")
    .addHelpText(
      'after',
      examples(
        'learn traces.json',
        'learn --explain traces.json',
        'learn --store redis://localhost:6379 otel/*.jsonl.gz',
        'learn --input runs --agent planner runs.json',
        "learn --json - < traces.json | jq '.plans | keys'",
      ),
    )
    .action(async (files: string[], options: LearnOptions, command: Command) => {
      for (const name of ['explain', 'run'] as const) {
        if (options.input === 'runs' && options[name] !== undefined) {
          command.error(`error: option '--${name}' is about spans and cannot be used with '--input runs'`);
        }
      }
      const { learn } = await import('./learn.ts');
      finish(await learn(files, options, outputs, stdin));
    });
}

function addReaders(program: Command, outputs: Outputs): void {
  withStoreOptions(program.command('plan'))
    .summary("show an agent's plan, or all plans")
    .description(
      'Shows which tools were seen running at the same time: the maximal sets, in how many runs exactly that set was seen, ' +
        'and when last.',
    )
    .argument('[agent]', 'name of the agent (default: all)')
    .option('--json', 'print the plan as stored; without an agent, an object of all plans by agent')
    .addHelpText(
      'after',
      examples('plan', 'plan research-agent', 'plan research-agent --json --store unix:/run/redis.sock'),
    )
    .action(async (agent: string | undefined, options: PlanOptions) => {
      const { showPlan } = await import('./plan.ts');
      await showPlan(agent, options, outputs);
    });
  withStoreOptions(program.command('agents'))
    .summary('list the agents')
    .description('Lists all agents that the store knows.')
    .option('--json', 'print a list of objects: agent_id, tools, groups, last_seen')
    .addHelpText('after', examples('agents', "agents --json | jq -r '.[].agent_id'"))
    .action(async (options: PlanOptions) => {
      const { showAgents } = await import('./agents.ts');
      await showAgents(options, outputs);
    });
  withStoreOptions(program.command('runs'))
    .summary("show an agent's runs as timelines")
    .description(
      'Shows the runs that are kept of an agent, oldest first: a row for each call, bars for when it ran.',
    )
    .argument('<agent>', 'name of the agent')
    .option('--last <n>', 'only the newest ones', wholeNumber)
    .option('--json', 'print the RunRecords as stored')
    .addHelpText(
      'after',
      examples('runs research-agent', 'runs research-agent --last 1', 'runs research-agent --json'),
    )
    .action(async (agent: string, options: RunsOptions) => {
      const { showRuns } = await import('./runs.ts');
      await showRuns(agent, options, outputs);
    });
}

function addForget(program: Command, outputs: Outputs): void {
  withStoreOptions(program.command('forget'))
    .summary('delete all that is kept of an agent')
    .description("Deletes an agent's plan, runs and counts from the store, whoever wrote them. Asks nothing.")
    .argument('<agent>', 'name of the agent')
    .addHelpText('after', examples('forget research-agent'))
    .action(async (agent: string, options: StoreChoice) => {
      const { forget } = await import('./forget.ts');
      await forget(agent, options, outputs);
    });
}

function addServe(program: Command, outputs: Outputs, finish: (status: number) => void): void {
  withServeOptions(program.command('serve'))
    .summary('run the sidecar: receive spans, learn, forward them')
    .description(
      'Runs the sidecar: receives OTLP over HTTP and gRPC, learns from the spans, answers questions about plans on the ' +
        'admin port, and passes everything on unchanged. SIGTERM or SIGINT ends it in order.',
    )
    .addHelpText(
      'after',
      examples(
        'serve',
        'serve --forward https://collector.example:4318',
        'serve --store redis://localhost:6379 --http 0.0.0.0:4318',
        'serve --config spanplan.yaml',
      ),
    )
    .action(async (options: ServeOptions) => {
      const { serve } = await import('./serve.ts');
      finish(await serve(options, outputs, version()));
    });
  withServeOptions(program.command('config'))
    .summary('print the configuration that serve would run with')
    .description(
      'Checks file, environment and flags, and prints what serve would run with: defaults included, secrets masked.',
    )
    .addHelpText('after', examples('config', 'config --config spanplan.yaml --store redis://localhost:6379'))
    .action(async (options: ServeOptions) => {
      const { showConfig } = await import('./config.ts');
      showConfig(options, outputs);
    });
}

/** Each also as a variable: --key-prefix is SPANPLAN_KEY_PREFIX. Checked with the rest of the configuration. */
function withServeOptions(command: Command): Command {
  return command
    .option('--config <file>', 'configuration in YAML (default: none is needed)')
    .option('--http <host:port>', 'where OTLP/HTTP is received (default: 127.0.0.1:4318)')
    .option('--grpc <host:port>', 'where OTLP/gRPC is received (default: 127.0.0.1:4317)')
    .option('--admin <host:port>', 'where plans, health and metrics are asked for (default: 127.0.0.1:4319)')
    .option('--store <url>', `where plans are kept (default: "${DEFAULT_STORE_URL}")`)
    .option('--key-prefix <prefix>', 'begins all keys in Redis (default: "spanplan:")')
    .option(
      '--forward <url>',
      'where everything is passed on to: http://, https:// or grpc://HOST:PORT (over gRPC, OTLP/JSON is refused)',
    )
    .option('--log-level <level>', 'debug, info, warn or error (default: info)')
    .addHelpText('after', '\nEach option may come as a variable: --key-prefix is SPANPLAN_KEY_PREFIX.');
}

function withStoreOptions(command: Command): Command {
  const store = new Option(
    '--store <url>',
    'where plans are kept: lmdb:PATH, redis://HOST:PORT, rediss://HOST:PORT, unix:PATH or memory:',
  );
  const keyPrefix = new Option('--key-prefix <prefix>', 'begins all keys in Redis (default: "spanplan:")');
  return command
    .addOption(orFrom('SPANPLAN_STORE', store.argParser(storeUrl).default(DEFAULT_STORE_URL)))
    .addOption(orFrom('SPANPLAN_KEY_PREFIX', keyPrefix))
    .addHelpText(
      'after',
      '\nWithout these options the variables SPANPLAN_STORE and SPANPLAN_KEY_PREFIX count.',
    );
}

/** Those that write plans read the same variable. An empty one counts as absent, as it does there. */
function orFrom(variable: string, option: Option): Option {
  return process.env[variable] ? option.env(variable) : option;
}

function examples(...commands: readonly string[]): string {
  return ['', 'Examples:', ...commands.map((command) => `  $ spanplan ${command}`)].join('\n');
}

/** What commander says of a bad value quotes it, and this one may hold a password. */
function storeUrl(text: string): string {
  try {
    parseStoreUrl(text);
    return text;
  } catch (error) {
    const reason = error instanceof Error ? error.message : '';
    throw new CliError(`--store (or SPANPLAN_STORE) cannot be used: ${reason}.`, 2);
  }
}

function wholeNumber(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(number) && number > 0) return number;
  throw new InvalidArgumentError('It is not a whole number above 0.');
}

function millis(text: string): number {
  if (/^(?:\d+\.?\d*|\.\d+)$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It is not a number of milliseconds.');
}

function agentName(text: string): string {
  if (text.trim() !== '') return text;
  throw new InvalidArgumentError('It is empty.');
}

/** What was typed is quoted back in error messages. */
function safeLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}

function version(): string {
  // By its name, since this file may be joined to another at another depth.
  const json: unknown = createRequire(import.meta.url)('spanplan/package.json');
  return typeof json === 'object' && json !== null && 'version' in json ? String(json.version) : 'unknown';
}
