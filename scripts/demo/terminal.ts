import { styleText } from 'node:util'

/** What the demo says. Where it says it to a terminal, the last line moves; into a file or a pipe it writes plain lines. */
export interface Terminal {
  heading(text: string): void
  line(text?: string): void
  /** Something that came to its end, and how long it took. */
  done(text: string, tookMs?: number): void
  /** Shows what is going on while it does. */
  during<T>(text: string, work: () => Promise<T>): Promise<T>
  /** A bar, which the next one replaces. */
  progress(fraction: number, text: string): void
  /** Leaves the cursor on an empty line. */
  end(): void
}

const barLength = 30
const spinner = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']

export function createTerminal(stream: NodeJS.WriteStream): Terminal {
  // Whoever reads along may leave (`| head`). The demo goes on and tidies up.
  stream.on('error', () => {})
  const style = (format: Parameters<typeof styleText>[0], text: string) => styleText(format, text, { stream })
  let isMoving = false

  const line = (text = '') => {
    end()
    stream.write(`${text}\n`)
  }

  function end() {
    if (isMoving) stream.write('\r\x1b[2K')
    isMoving = false
  }

  /** Never longer than the terminal is wide: what has wrapped cannot be taken back. */
  function moving(text: string) {
    end()
    stream.write(text.slice(0, (stream.columns || 80) - 1))
    isMoving = true
  }

  return {
    line,
    end,
    heading: (text) => line(`\n${style('bold', text)}`),
    done: (text, tookMs) =>
      line(`  ${style('green', '✓')} ${text}${tookMs === undefined ? '' : style('dim', `  ${seconds(tookMs)}`)}`),

    async during(text, work) {
      if (!stream.isTTY) return work()
      let turn = 0
      const show = () => moving(`  ${spinner[turn++ % spinner.length]} ${text}`)
      show()
      const timer = setInterval(show, 100)
      try {
        return await work()
      } finally {
        clearInterval(timer)
        end()
      }
    },

    progress(fraction, text) {
      const filled = Math.round(fraction * barLength)
      const bar = '█'.repeat(filled) + '░'.repeat(barLength - filled)
      const shown = `  ${bar} ${String(Math.round(fraction * 100)).padStart(3)} %  ${text}`
      if (stream.isTTY) moving(shown)
      else line(shown)
    },
  }
}

export const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`
