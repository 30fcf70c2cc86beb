import { BadConfiguration } from '../config.ts'
import { DataDirInUse } from '../db/data-dir.ts'
import { MigrationFailed } from '../db/migrate.ts'
import { PostgresVersionMismatch } from '../db/postgres-cluster.ts'
import { AddressUnavailable } from './http-server.ts'

/** What whoever starts a program can put right. */
const explained = [BadConfiguration, DataDirInUse, PostgresVersionMismatch, MigrationFailed, AddressUnavailable]

/** Runs an entry point. A failure that explains itself is told by its message alone; any other is a bug, and keeps its stack. */
export async function runProgram(program: () => Promise<void>): Promise<void> {
  try {
    await program()
  } catch (error) {
    if (!explained.some((known) => error instanceof known)) throw error
    process.stderr.write(`${(error as Error).message}\n`)
    // What was opened before the failure must not keep the process alive.
    process.exit(1)
  }
}
