/** A program with a bug. */
import { runProgram } from '../../src/main/program.ts'

await runProgram(async () => {
  throw new TypeError('The sea is rough.')
})
