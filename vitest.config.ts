import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // The files of a worker share their imports: the CDK and the AWS SDK take seconds to load. A test file therefore
    // restores what it changes in the process (`vi.stubEnv`, handlers, folders).
    isolate: false,
    maxWorkers: '100%',
    unstubEnvs: true,
    globalSetup: 'test/support/temporary-folder.ts',
    coverage: {
      include: ['functions/core/**', 'functions/adapters/plangrep/**'],
      reporter: ['text-summary'],
      // Coverage is no goal in itself; but a branch of these that nothing has ever taken is a branch nobody knows.
      thresholds: { branches: 100 },
    },
  },
});
