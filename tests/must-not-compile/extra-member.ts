import type { OperationReply } from '../../src/http/contract.ts'

// What a handler returns is inferred first and compared then, so the compiler lets more members pass there.
// Those are caught where every answer of the tests is held against the contract.
export const reply: OperationReply<'getLiveness'> = {
  status: 200,
  // must not compile
  body: { status: 'ok', secret: 'a password hash' },
}
