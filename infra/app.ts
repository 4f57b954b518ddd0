import { App } from 'aws-cdk-lib';
import { selectEnvironment } from './environments.ts';
import { StatefulStack } from './stateful-stack.ts';

// Synthesized by hand: left to itself, an app without stacks would still be written out after a wrong environment.
const app = new App({ autoSynth: false });
const selection = selectEnvironment(app.node.tryGetContext('environment'));
if (selection.kind === 'selected') {
  // oxlint-disable-next-line no-new -- a construct attaches itself to its scope
  new StatefulStack(app, 'Stateful', { environment: selection.environment });
  app.synth();
} else {
  console.error(selection.message);
  process.exitCode = 1;
}
