/** A script was called in a way that it does not understand. The message says all that there is to say. */
export class UsageError extends Error {
  override name = 'UsageError'
}

/** Runs a script. One that was called wrongly says so in a sentence, and ends with 2. */
export async function runScript(script: () => Promise<void>): Promise<void> {
  try {
    await script()
  } catch (error) {
    if (!(error instanceof UsageError) && !isParseError(error)) throw error
    // What parseArgs has to say comes first; the rest is advice that fits no script of ours.
    const { message } = error as Error
    const said = isParseError(error) ? message.split(/\.\s/)[0]! : message
    process.stderr.write(`${said.replace(/\.$/, '')}.\n`)
    process.exitCode = 2
  }
}

const isParseError = (error: unknown): boolean =>
  error instanceof TypeError && String((error as NodeJS.ErrnoException).code).startsWith('ERR_PARSE_ARGS_')
