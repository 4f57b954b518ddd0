import { composeSimulator } from './compose/compose-serving.ts';
import { handleSimulatedCall } from './simulator/handle-simulated-call.ts';

/** Takes Plangrep's place, only in a sandbox. */
export const handler = handleSimulatedCall(composeSimulator());
