import { z } from 'zod';

/** What the admin port takes and answers: checked by it on the way in, shown in its OpenAPI document, held to by tests. */

const name = z.string();
const time = z.string().meta({ description: 'RFC 3339, in UTC' });

const group = z.looseObject({ group_id: z.string(), tool_names: z.array(name) });

const executionPlan = z.looseObject({
  agent_id: z.string(),
  parallel_groups: z.array(group),
  metadata_template: z.looseObject({
    run_id: z.string(),
    agent_id: z.string(),
    parallel_hints: z.array(z.looseObject({ tool_name: name, group_id: z.string(), explicit: z.boolean() })),
    extensions: z.record(z.string(), z.unknown()),
  }),
});

const agentSummary = z.strictObject({
  agent_id: z.string(),
  revision: z
    .int()
    .min(0)
    .optional()
    .meta({ description: 'Grows with each change; absent where there is no plan' }),
  groups: z.int().min(0),
  tools: z.int().min(0),
  last_seen: time.optional().meta({ description: 'When tools were last seen running at the same time' }),
  error: z.enum(['corrupt_plan']).optional().meta({ description: 'The stored plan cannot be read' }),
});

const plans = z.strictObject({
  agents: z.array(agentSummary),
  total: z.int().min(0),
  next: z
    .string()
    .optional()
    .meta({ description: 'The value of `after` for the next page; absent on the last' }),
});

const call = z.strictObject({
  kind: z.enum(['tool', 'llm']),
  name: name,
  started_at: time,
  ended_at: time.optional(),
  output_tokens: z.number().optional(),
  prompt_tokens: z.number().optional(),
  total_tokens: z.number().optional(),
  model_name: z.string().optional(),
  tool_call_count: z.number().optional(),
  scope: z.string().optional(),
  resource: z.union([z.string(), z.number()]).optional(),
});

const run = z.looseObject({
  id: z.string(),
  agent_id: z.string(),
  started_at: time,
  ended_at: time.optional(),
  calls: z.array(call.loose()),
});

const runs = z.strictObject({ agent_id: z.string(), runs: z.array(run) });

const groups = z.strictObject({
  agent_id: z.string(),
  groups: z.array(
    z.strictObject({
      group_id: z.string(),
      tool_names: z.array(name),
      runs: z.int().min(0).optional().meta({
        description: 'In how many runs exactly these were seen; absent where another wrote the group',
      }),
      first_seen: time.optional(),
      last_seen: time.optional(),
    }),
  ),
});

const partitionRequest = z.object({
  calls: z
    .array(z.union([z.string().max(1_024), z.looseObject({ name: z.string().max(1_024) })]))
    .max(1_000)
    .meta({ description: 'Names of tools, or objects with a name; other fields are not looked at' }),
});

const batch = z.strictObject({
  calls: z.array(z.strictObject({ index: z.int().min(0), name: name })).min(1),
  reason: z.strictObject({
    code: z.enum(['seen_together', 'not_seen_together', 'unknown_tool', 'no_plan']),
    message: z.string(),
    group_id: z.string().optional(),
  }),
});

const partition = z.strictObject({ agent_id: z.string(), batches: z.array(batch) });

const health = z.strictObject({ status: z.literal('ok') });

const readiness = z.strictObject({
  status: z.enum(['ready', 'starting', 'draining', 'full']),
  degraded: z.array(z.enum(['lmdb', 'redis', 'memory', 'forward'])),
});

const problem = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  known_agents: z.array(z.string()).optional(),
  code: z.string().optional(),
});

const planEvent = z.strictObject({
  agent_id: z.string(),
  revision: z
    .int()
    .min(0)
    .optional()
    .meta({ description: 'Absent where the store cannot tell, or there is no plan' }),
});

export const schemas = {
  executionPlan,
  plans,
  groups,
  runs,
  partitionRequest,
  partition,
  planEvent,
  health,
  readiness,
  problem,
} as const;

export type PlanList = z.output<typeof plans>;
export type AgentSummary = z.output<typeof agentSummary>;
export type GroupList = z.output<typeof groups>;
export type Partition = z.output<typeof partition>;
export type Readiness = z.output<typeof readiness>;
export type PartitionRequest = z.output<typeof partitionRequest>;
