import type { Handlers } from '../../src/http/contract.ts'

// must not compile
export type DeadnessHandlers = Handlers<'getDeadness'>
