import type { Verdict } from '../model/verdict.ts';
import { text } from './attributes.ts';
import type { Convention } from './convention.ts';
import { verdict } from './verdict.ts';

/**
 * n8n. Nodes are not told apart by what they do, and all hang below the workflow, so they are steps; only the node
 * that runs an agent is one. Weak: a workflow of n8n is mostly no agent at all.
 */
export const n8n: Convention = {
  name: 'n8n',
  source: 'n8n 0999c93c (execution-level-tracer.ts), 01fa9fa2 (otel.constants.ts)',
  attributes: ['n8n.node.type', 'n8n.node.name', 'n8n.workflow.name'],
  recognise({ name, attributes }) {
    const type = text(attributes, 'n8n.node.type');
    if (type !== undefined) {
      if (!type.endsWith('.agent')) return NODE;
      const frameworkName = text(attributes, 'n8n.node.name');
      return verdict('agent', 'n8n.agent', { frameworkName, isFlat: true, weak: true });
    }
    if (name !== 'workflow.execute') return undefined;
    const frameworkName = text(attributes, 'n8n.workflow.name');
    if (frameworkName === undefined) return undefined;
    return verdict('workflow', 'n8n.workflow', { frameworkName, isFlat: true, weak: true });
  },
};

const NODE: Verdict = { role: 'step', rule: 'n8n.node', isFlat: true, weak: true };
