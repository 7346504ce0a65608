import { generateText, jsonSchema, stepCountIs, tool } from 'ai';
import { type Ask, scriptedModel } from './scripted-model.ts';

/** A wish for a trip; some need the weather, which the model then asks for too. */
export interface Trip {
  readonly city: string;
  readonly weather: boolean;
}

/**
 * An agent built with the AI SDK, and nothing in it knows of spanplan: it looks up flights, hotels and perhaps the
 * weather, and hands the city to a second agent, which it calls as a tool. Its telemetry is the AI SDK's own.
 */
export async function planTrip({ city, weather }: Trip): Promise<string> {
  const lookUps = ['flights', 'hotels', ...(weather ? ['weather'] : [])];
  const { text } = await generateText({
    model: scriptedModel([asks(lookUps, city), asks(['local_guide'], city)], `A weekend in ${city}.`),
    prompt: `Plan a weekend in ${city}.`,
    tools: {
      flights: lookUp('Finds flights', 180),
      hotels: lookUp('Finds hotels', 140),
      weather: lookUp('Forecasts the weather', 90),
      local_guide: tool({
        description: 'Asks an agent who knows the city',
        inputSchema: CITY,
        execute: (input) => guide(input.city),
      }),
    },
    stopWhen: stepCountIs(5),
    experimental_telemetry: { isEnabled: true, functionId: 'trip-planner' },
  });
  return text;
}

/** The second agent. It looks for museums and restaurants at once, and then for a way between them. */
async function guide(city: string): Promise<string> {
  const { text } = await generateText({
    model: scriptedModel([asks(['museums', 'restaurants'], city), asks(['route'], city)], 'Here you go.'),
    prompt: `What is there to see in ${city}?`,
    tools: {
      museums: lookUp('Finds museums', 110),
      restaurants: lookUp('Finds restaurants', 130),
      route: lookUp('Finds the way', 60),
    },
    stopWhen: stepCountIs(5),
    experimental_telemetry: { isEnabled: true, functionId: 'local-guide' },
  });
  return text;
}

const CITY = jsonSchema<{ city: string }>({
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
});

/** A tool that takes about as long as its service would. */
function lookUp(description: string, millis: number) {
  return tool({
    description,
    inputSchema: CITY,
    execute: async ({ city }) => {
      await new Promise((resolve) => setTimeout(resolve, millis * (0.85 + Math.random() * 0.3)));
      return `${description} in ${city}: done`;
    },
  });
}

function asks(tools: readonly string[], city: string): readonly Ask[] {
  return tools.map((name) => ({ tool: name, input: { city } }));
}
