import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    coverage: {
      include: ['functions/core/**', 'functions/adapters/plangrep*'],
      reporter: ['text-summary'],
      // Coverage is no goal in itself; but a branch of these that nothing has ever taken is a branch nobody knows.
      thresholds: { branches: 100 },
    },
  },
});
