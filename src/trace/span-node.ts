import type { SpanRole } from '../model/verdict.ts';
import type { SpanRecord } from './span-record.ts';

/** A span in its place: what it is in this trace, and what encloses it. */
export class SpanNode {
  readonly record: SpanRecord;
  /** The role in this trace: weak verdicts without a strong one and wrappers are looked through. */
  role: SpanRole;
  /** What is around it. */
  readonly surroundings: Surroundings;
  /** The tool call of which this span is but a layer (an MCP client span inside a tool span, say). */
  layerOf: SpanNode | undefined;
  /** Known from an earlier segment of the trace: it encloses, but is no call again. */
  readonly isContext: boolean;
  /** For `agentIdOf`: what agents are called from here outwards; null where nobody has asked. */
  agentName: string | undefined | null = null;
  /** What is around the spans directly inside it, once there is one. */
  #inside: Surroundings | undefined;

  constructor(record: SpanRecord, role: SpanRole, parent: SpanNode | undefined, isContext: boolean) {
    this.record = record;
    this.role = role;
    this.isContext = isContext;
    if (parent === undefined) {
      this.surroundings = NOTHING;
    } else {
      parent.#inside ??= new Surroundings(parent);
      this.surroundings = parent.#inside;
    }
  }

  get parent(): SpanNode | undefined {
    return this.surroundings.parent;
  }

  /** The topmost known ancestor, or the span itself. */
  get top(): SpanNode {
    return this.surroundings.top ?? this;
  }

  /** The nearest enclosing agent. */
  get agent(): SpanNode | undefined {
    return this.surroundings.agent;
  }

  /** The outermost one. */
  get topAgent(): SpanNode | undefined {
    return this.surroundings.topAgent;
  }

  /** The nearest enclosing workflow. */
  get workflow(): SpanNode | undefined {
    return this.surroundings.workflow;
  }

  /** The nearest enclosing tool span with no agent and no workflow in between. */
  get tool(): SpanNode | undefined {
    return this.surroundings.tool;
  }

  /** The nearest enclosing tool call or agent: what makes its scope. */
  get encloser(): SpanNode | undefined {
    return this.surroundings.encloser?.call;
  }

  /** The call that a tool span belongs to: itself, or the one it is a layer of. */
  get call(): SpanNode {
    return this.layerOf ?? this;
  }
}

/** What is around a span, which is the same for all spans directly inside one. */
class Surroundings {
  readonly parent: SpanNode | undefined;
  readonly top: SpanNode | undefined;
  readonly agent: SpanNode | undefined;
  readonly topAgent: SpanNode | undefined;
  readonly workflow: SpanNode | undefined;
  #tool: SpanNode | undefined;
  #encloser: SpanNode | undefined;

  constructor(parent: SpanNode | undefined) {
    if (parent === undefined) return;
    const { role, surroundings: outer } = parent;
    this.parent = parent;
    this.top = parent.top;
    this.agent = role === 'agent' ? parent : outer.agent;
    this.topAgent = outer.topAgent ?? this.agent;
    this.workflow = role === 'workflow' ? parent : outer.workflow;
    const holdsRun = role === 'agent' || role === 'workflow';
    this.#tool = holdsRun ? undefined : role === 'tool' ? parent : outer.#tool;
    this.#encloser = role === 'agent' || role === 'tool' ? parent : outer.#encloser;
  }

  get tool(): SpanNode | undefined {
    let found = this.#tool;
    while (found?.role === 'step') found = found.surroundings.#tool;
    // A step stays one, so nobody has to go by it again: thousands may be within one another.
    for (let at: Surroundings = this, next = at.#tool; next !== found && next !== undefined; ) {
      at.#tool = found;
      at = next.surroundings;
      next = at.#tool;
    }
    return found;
  }

  get encloser(): SpanNode | undefined {
    let found = this.#encloser;
    while (found?.role === 'step') found = found.surroundings.#encloser;
    for (let at: Surroundings = this, next = at.#encloser; next !== found && next !== undefined; ) {
      at.#encloser = found;
      at = next.surroundings;
      next = at.#encloser;
    }
    return found;
  }
}

/** What is around a root. */
const NOTHING = new Surroundings(undefined);
