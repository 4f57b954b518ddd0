import { defineConfig } from 'vitest/config';
import { ReportSlowestFiles } from './test/support/report-slowest-files.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // The files of a worker share their imports: the CDK and the AWS SDK take seconds to load. A test file therefore
    // restores what it changes in the process: handlers, variables of the environment, folders.
    isolate: false,
    unstubEnvs: true,
    globalSetup: 'test/support/temporary-folder.ts',
    maxWorkers: '100%',
    reporters: ['default', new ReportSlowestFiles()],
    coverage: {
      include: ['functions/core/**', 'functions/adapters/plangrep/**'],
      reporter: ['text-summary'],
      // Coverage is not an end in itself. But a branch of these files that no test takes is a branch without a check.
      thresholds: { branches: 100 },
    },
  },
});
