import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** npm could be had neither from the network nor from its cache. Anything else that goes wrong is a fault. */
export class NoRegistry extends Error {
  override name = 'NoRegistry'
}

const noNetwork = /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|ENOTCACHED)\b/
const noAnswer = /\b(FETCH_ERROR|ERR_SOCKET_TIMEOUT|E429|E50[0234])\b/

/** Runs npm in a folder, and gives what it printed. */
export async function npm(folder: string, ...args: string[]): Promise<string> {
  try {
    const { stdout } = await run('npm', [...args, '--no-audit', '--no-fund', '--fetch-retries=1'], { cwd: folder })
    return stdout
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string }
    if (noNetwork.test(stderr) || noAnswer.test(stderr))
      throw new NoRegistry('The npm registry cannot be reached', { cause: error })
    throw error
  }
}

/** Installs into a folder, from npm's cache where that has it. */
export const npmInstall = (folder: string, ...what: string[]) => npm(folder, 'install', '--prefer-offline', ...what)
