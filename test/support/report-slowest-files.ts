import type { Reporter, TestModule } from 'vitest/node';

const SHOWN = 12;

/** A reporter of vitest: where the time went, file by file, slowest first. */
export class ReportSlowestFiles implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const files = modules
      .map((module) => ({ name: module.relativeModuleId, ...secondsOf(module) }))
      .toSorted((a, b) => b.loading + b.testing - (a.loading + a.testing));
    if (files.length < SHOWN) return;
    const total = files.reduce((sum, { loading, testing }) => sum + loading + testing, 0);
    console.log(`\nSlowest of ${files.length} test files, which took ${total.toFixed(0)} s one after the other:`);
    for (const { name, loading, testing } of files.slice(0, SHOWN)) {
      console.log(`${(loading + testing).toFixed(1).padStart(6)} s  ${name} (${loading.toFixed(1)} s to load it)`);
    }
  }
}

function secondsOf(module: TestModule): { readonly loading: number; readonly testing: number } {
  const { environmentSetupDuration, prepareDuration, collectDuration, setupDuration, duration } = module.diagnostic();
  return {
    loading: (environmentSetupDuration + prepareDuration + collectDuration + setupDuration) / 1000,
    testing: duration / 1000,
  };
}
