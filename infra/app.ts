import { App } from 'aws-cdk-lib';
import { addChecks } from './stacks/checks.ts';
import { missingBundles } from './constructs/bundled-function.ts';
import { selectEnvironment } from './blueprint/environments.ts';
import { ServiceStack } from './stacks/service-stack.ts';
import { StatefulStack } from './stacks/stateful-stack.ts';

// Synthesized by hand: left to itself, an app without stacks would still be written out after a wrong environment.
const app = new App({ autoSynth: false });
const selection = selectEnvironment(app.node.tryGetContext('environment'));
const missing = missingBundles();
if (selection.kind === 'invalid') {
  console.error(selection.message);
  process.exitCode = 1;
} else if (missing.length > 0) {
  console.error(`Not built: ${missing.join(', ')}. Run "npm run build" first: what is deployed is what was tested.`);
  process.exitCode = 1;
} else {
  const { environment } = selection;
  const stateful = new StatefulStack(app, 'Stateful', { environment });
  new ServiceStack(app, 'Service', { environment, stateful });
  addChecks(app);
  app.synth();
}
