/** A run of the workflow `deploy`. */
export interface Run {
  readonly id: number;
  readonly commit: string;
}

/** How far a run came, in one environment. */
export interface Ends {
  /** Its bundles passed every test. */
  readonly isTested: boolean;
  readonly isDeployed: boolean;
  /** The smoke test after the deployment passed. */
  readonly isGood: boolean;
}

export type Choice =
  | { readonly kind: 'build'; readonly commit: string; readonly run: number | undefined }
  | { readonly kind: 'none'; readonly why: string };

/**
 * The build to deploy: that of the wanted commit, or the last good one: the newest whose smoke test passed before the build
 * that was deployed last. Chosen twice it is the same, since what this deploys is no run of `deploy`: to go back further, name
 * the commit.
 * @param runs the newest first
 * @param wanted a commit, or the beginning of one; empty for the last good build
 */
export async function chooseBuild(
  runs: readonly Run[],
  wanted: string,
  endsOf: (run: Run) => Promise<Ends>,
): Promise<Choice> {
  let deployed: string | undefined;
  for (const run of runs) {
    if (wanted !== '' && !run.commit.startsWith(wanted)) continue;
    const { isTested, isDeployed, isGood } = await endsOf(run);
    if (wanted !== '') {
      if (isTested) return { kind: 'build', commit: run.commit, run: run.id };
    } else if (deployed === undefined) {
      if (isDeployed) deployed = run.commit;
    } else if (isGood && run.commit !== deployed) {
      return { kind: 'build', commit: run.commit, run: run.id };
    }
  }
  const none = deployed === undefined ? 'No run has deployed there' : `No good build comes before ${deployed}`;
  return { kind: 'none', why: wanted === '' ? `${none}: name a commit.` : `No run has tested ${wanted}.` };
}
