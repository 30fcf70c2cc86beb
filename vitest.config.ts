import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    globalSetup: ['tests/support/temporary-files.ts', 'tests/support/cluster.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // A busy machine takes its time.
    expect: { poll: { timeout: 20_000 } },
    maxWorkers: 4,
  },
})
