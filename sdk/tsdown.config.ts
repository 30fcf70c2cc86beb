import { defineConfig } from 'tsdown'

/** The contract's types become part of the declarations, so that the package stands on its own. */
export default defineConfig({
  entry: ['index.ts', 'node.ts'],
  format: 'esm',
  // Nothing of Node in `index.js`: it must load in browsers and on the edge.
  platform: 'neutral',
  deps: { neverBundle: [/^node:/] },
  target: 'es2022',
  dts: true,
  clean: true,
  fixedExtension: false,
  hash: false,
  tsconfig: '../tsconfig.json',
})
