import { appendFileSync } from 'node:fs';
import { chooseBuild, type Run } from './choose-build.ts';

/**
 * `node infra/deploy/find-build.ts ENVIRONMENT [COMMIT]`: finds the build that a rollback or a redeployment means, and writes
 * `commit` and `run` to the job's outputs. `run` is empty where GitHub keeps its bundles no longer: build it again.
 * It uses no package.
 * @see https://docs.github.com/en/rest/actions/workflow-runs
 */
const [environment = '', wanted = ''] = process.argv.slice(2);
const {
  GITHUB_API_URL = '',
  GITHUB_REPOSITORY = '',
  GITHUB_TOKEN = '',
  GITHUB_OUTPUT,
  GITHUB_STEP_SUMMARY,
} = process.env;
/** Runs that are looked through, each with one request. */
const MAX_RUNS = 100;

class GitHubError extends Error {
  override readonly name = 'GitHubError';
}

process.exitCode = await find().catch((error: unknown) => {
  if (!(error instanceof GitHubError)) throw error;
  console.error(error.message);
  return 1;
});

async function find(): Promise<number> {
  if (wanted !== '' && !/^[0-9a-f]{7,40}$/.test(wanted)) {
    console.error('COMMIT must be 7 to 40 hexadecimal digits.');
    return 2;
  }
  const runs = await listRuns();
  const choice = await chooseBuild(runs, wanted, (run) => endsOf(run.id));
  const found = choice.kind === 'none' && wanted !== '' ? await commitOfMain() : choice;
  if (found.kind === 'none') {
    console.error(found.why);
    return 1;
  }
  const { commit, run } = found;
  const isKept = run !== undefined && (await keepsBundles(run));
  const from = isKept ? `the bundles of run ${run}` : 'built again: no run keeps its bundles';
  write(GITHUB_OUTPUT, `commit=${commit}\nrun=${isKept ? run : ''}\n`);
  write(GITHUB_STEP_SUMMARY, `${environment} gets ${commit} (${from}).\n`);
  console.log(`${environment} gets ${commit} (${from}).`);
  return 0;
}

/** Pushes to main, the newest first: nothing else may be deployed. */
async function listRuns(): Promise<readonly Run[]> {
  const query = `branch=main&event=push&per_page=${MAX_RUNS}`;
  const { workflow_runs } = await get<{
    readonly workflow_runs: readonly { readonly id: number; readonly head_sha: string }[];
  }>(`actions/workflows/deploy.yml/runs?${query}`);
  return workflow_runs.map(({ id, head_sha }) => ({ id, commit: head_sha }));
}

async function endsOf(run: number) {
  const { jobs } = await get<{
    readonly jobs: readonly { readonly name: string; readonly conclusion: string | null }[];
  }>(`actions/runs/${run}/jobs?per_page=100`);
  const succeeded = (name: string): boolean => jobs.some((job) => job.name === name && job.conclusion === 'success');
  return {
    isTested: succeeded('checks / test'),
    isDeployed: succeeded(`${environment} / deploy`),
    isGood: succeeded(`${environment} / smoke`),
  };
}

async function keepsBundles(run: number): Promise<boolean> {
  const { artifacts } = await get<{ readonly artifacts: readonly { readonly expired: boolean }[] }>(
    `actions/runs/${run}/artifacts?name=bundles`,
  );
  return artifacts.some(({ expired }) => !expired);
}

/** A commit that no run is known for: it must be part of main. */
async function commitOfMain() {
  const { sha } = await get<{ readonly sha: string }>(`commits/${wanted}`);
  const { status } = await get<{ readonly status: string }>(`compare/main...${sha}`);
  return status === 'identical' || status === 'behind'
    ? ({ kind: 'build', commit: sha, run: undefined } as const)
    : ({ kind: 'none', why: `${wanted} is not a commit of main.` } as const);
}

async function get<Answer>(path: string): Promise<Answer> {
  const response = await fetch(`${GITHUB_API_URL}/repos/${GITHUB_REPOSITORY}/${path}`, {
    headers: { Authorization: `Bearer ${GITHUB_TOKEN}`, Accept: 'application/vnd.github+json' },
    signal: AbortSignal.timeout(30_000),
    redirect: 'error',
  }).catch((cause: unknown) => {
    throw new GitHubError(`GitHub did not answer: ${path.split('?', 1)[0]}`, { cause });
  });
  if (!response.ok) throw new GitHubError(`GitHub answered ${response.status}: ${path.split('?', 1)[0]}`);
  const answer: Answer = JSON.parse(await response.text());
  return answer;
}

function write(file: string | undefined, text: string): void {
  if (file !== undefined) appendFileSync(file, text);
}
