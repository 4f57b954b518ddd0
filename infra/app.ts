import { App } from 'aws-cdk-lib';
import { addChecks } from './stacks/checks.ts';
import { missingBundles } from './constructs/bundled-function.ts';
import { readRolloutOverride } from './blueprint/rollout/rollout-override.ts';
import { BackupsStack, CopiesStack, readCopiesRegion } from './stacks/copies-stacks.ts';
import { GitHubRolesStack, readGitHubRepository } from './stacks/github-roles-stack.ts';
import { selectEnvironment } from './stacks/select-environment.ts';
import { ServiceStack } from './stacks/service-stack.ts';
import { StatefulStack } from './stacks/stateful-stack.ts';

// Without `autoSynth: false`, CDK would write an app without stacks after a wrong environment name.
const app = new App({ autoSynth: false });
const selection = selectEnvironment(app.node.tryGetContext('environment'));
const rollout = readRolloutOverride(app.node.tryGetContext('rollout'), app.node.tryGetContext('why'));
const github: unknown = app.node.tryGetContext('github');
const copies: unknown = app.node.tryGetContext('copies');
const missing = missingBundles();
if (selection.kind === 'invalid') {
  console.error(selection.message);
  process.exitCode = 1;
} else if (rollout.kind === 'invalid') {
  console.error(rollout.message);
  process.exitCode = 1;
} else if (github !== undefined) {
  const repository = readGitHubRepository(github);
  if (repository === undefined) {
    console.error('-c github must be OWNER/REPO, or OWNER@ID/REPO@ID, without a wildcard.');
    process.exitCode = 1;
  } else {
    // Alone, and without cdk-nag, which refuses every star: a test compares each right of these roles.
    new GitHubRolesStack(app, 'GitHub', { environment: selection.environment, github: repository });
    app.synth();
  }
} else if (copies !== undefined) {
  const { environment } = selection;
  const region = readCopiesRegion(copies, environment);
  if (region === undefined) {
    console.error("-c copies must be a region other than the environment's, such as eu-west-1.");
    process.exitCode = 1;
  } else {
    const vault = new CopiesStack(app, 'Copies', { environment, region });
    new BackupsStack(app, 'Backups', { environment, region }).addStackDependency(vault);
    addChecks(app);
    app.synth();
  }
} else if (missing.length > 0) {
  console.error(
    `Not built: ${missing.join(', ')}. Run "npm run build" first: CDK deploys the bundles that were tested.`,
  );
  process.exitCode = 1;
} else {
  const { environment } = selection;
  const stateful = new StatefulStack(app, 'Stateful', { environment });
  const rolloutOverride = rollout.kind === 'override' ? rollout.override : undefined;
  new ServiceStack(app, 'Service', { environment, stateful, rolloutOverride });
  addChecks(app);
  app.synth();
}
