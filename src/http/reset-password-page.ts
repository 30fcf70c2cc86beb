import { createHash } from 'node:crypto'

const style = `
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }
body { max-width: 24rem; margin: 4rem auto; padding: 0 1rem }
label, input, button { display: block; width: 100%; box-sizing: border-box; font: inherit }
input, button { margin: 0.25rem 0 1rem; padding: 0.5rem }
[role='status'], [role='alert'] { min-height: 1.5rem }
`

/** The token leaves the address bar, and so the history, as soon as it is read. A reload has to start from the mail again. */
const script = `
const form = document.querySelector('form')
const [done, trouble] = [document.querySelector('[role=status]'), document.querySelector('[role=alert]')]
const token = new URLSearchParams(location.hash.slice(1)).get('token')
history.replaceState(null, '', location.pathname)

const tell = (place, text) => {
  done.textContent = trouble.textContent = ''
  place.textContent = text
}
const end = (place, text) => {
  form.hidden = true
  tell(place, text)
}
if (!token) end(trouble, 'This page needs the link from your mail. Open that link again.')

form.addEventListener('submit', async (event) => {
  event.preventDefault()
  const { password, again } = form.elements
  if (password.value !== again.value) return tell(trouble, 'The two passwords differ.')
  const button = form.querySelector('button')
  button.disabled = true
  tell(done, 'One moment …')
  try {
    const response = await fetch('api/auth/reset-password', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token, password: password.value }),
    })
    if (response.ok) return end(done, 'Your password is set. You can sign in with it now.')
    const problem = await response.json()
    if (problem.code === 'invalid_reset_token') return end(trouble, problem.detail)
    tell(trouble, problem.errors?.[0]?.detail ?? problem.detail)
  } catch {
    tell(trouble, 'The service does not answer. Try again in a while.')
  } finally {
    button.disabled = false
  }
})
`

/** Where the link of a recovery mail leads. It is whole by itself, and asks nobody but this host. */
export const resetPasswordPage = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Set a new password</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>Set a new password</h1>
<noscript><p>This page needs JavaScript.</p></noscript>
<form>
<label for="password">New password</label>
<input id="password" name="password" type="password" autocomplete="new-password" minlength="12" maxlength="200" required aria-describedby="hint">
<p id="hint">12 characters or more. A few words in a row are good.</p>
<label for="again">The same again</label>
<input id="again" name="again" type="password" autocomplete="new-password" required>
<button>Set password</button>
</form>
<p role="status"></p>
<p role="alert"></p>
</main>
<script>${script}</script>
</body>
</html>
`

const hashOf = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

/** What the page may do: run its own script, look as it does, and send the password to this host. */
export const resetPasswordPolicy =
  `default-src 'none'; script-src ${hashOf(script)}; style-src ${hashOf(style)}; connect-src 'self'; ` +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
