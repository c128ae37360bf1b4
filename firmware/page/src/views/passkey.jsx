import { useEffect, useRef, useState } from 'preact/hooks'
import { call } from '../api.js'
import { useText } from '../i18n.js'
import { Copy, Field, Missing, useAction, usePolled } from '../ui.jsx'

const kSteps = ['scan', 'passkey', 'phone', 'compare']
const kAnswer = '#passkey='

const toBase64url = text => btoa(String.fromCharCode(...new TextEncoder().encode(text)))
  .replace(/\+/g, '-').replace(/\//g, '_').replace(/=/g, '')
const fromBase64url = text =>
  new TextDecoder().decode(Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), c => c.charCodeAt(0)))

/** What the helper extension brought along when it led back to this page; '' when it did not. */
function broughtAlong() {
  if (!location.hash.startsWith(kAnswer)) return ''
  const coded = location.hash.slice(kAnswer.length)
  history.replaceState(null, '', location.pathname)
  try { return fromBase64url(coded) } catch { return '' }
}

function Steps({ at }) {
  const { t } = useText()
  return (
    <ol class="steps">
      {kSteps.map(step => <li key={step} aria-current={step === at ? 'step' : undefined}>{t(`passkey.${step}`)}</li>)}
    </ol>
  )
}

/** Minutes and seconds that are left, counted on between two answers of the box. */
function TimeLeft({ seconds }) {
  const { t } = useText()
  const [left, setLeft] = useState(seconds)
  useEffect(() => {
    const ends = Date.now() + seconds * 1000
    const tick = () => setLeft(Math.max(0, Math.round((ends - Date.now()) / 1000)))
    tick()
    const timer = setInterval(tick, 1000)
    return () => clearInterval(timer)
  }, [seconds])
  return <p class="small">{t('passkey.left', { time: `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}` })}</p>
}

/** Steps 2 and 3: a computer's browser asks the phone for the passkey, by the extension or by a pasted text. */
function Answer({ asked }) {
  const { t } = useText()
  const [text, setText] = useState('')
  const action = useAction()
  const give = answer => action.run(async () => {
    let parsed
    try { parsed = JSON.parse(answer) } catch { throw Object.assign(new Error(t('passkey.notWhole')), { status: 400 }) }
    await call('sendPasskeyResponse', { body: parsed })
  })
  const first = useRef(true)
  useEffect(() => {
    if (!first.current) return
    first.current = false
    const brought = broughtAlong()
    if (brought) give(brought)
  }, [])
  const back = encodeURIComponent(`${location.origin}/link`)
  const helper = `https://web.whatsapp.com/#posthorn=${toBase64url(asked.optionsText)}&back=${back}`
  return (
    <>
      <p>{t('passkey.why')}</p>
      <TimeLeft seconds={asked.secondsLeft ?? 0} />
      <h3>{t('passkey.byPaste')}</h3>
      <ol>
        <li>{t('passkey.paste1')} <a href="https://web.whatsapp.com/" target="_blank" rel="noreferrer">web.whatsapp.com</a></li>
        <li>{t('passkey.paste2')}</li>
        <li>
          {t('passkey.paste3')}
          <Copy label={t('passkey.text')} value={asked.snippet} secret />
        </li>
        <li>{t('passkey.paste4')}</li>
        <li>{t('passkey.phoneHow')}</li>
        <li>{t('passkey.paste5')}</li>
      </ol>
      <form onSubmit={event => { event.preventDefault(); give(text) }}>
        <Field label={t('passkey.answer')} rows={3} required dir="ltr" autocomplete="off" spellcheck={false} value={text}
          onInput={e => setText(e.target.value)} />
        <button disabled={action.busy}>{t('passkey.give')}</button>
        {action.line}
      </form>
      <details>
        <summary>{t('passkey.byHelper')}</summary>
        <p>{t('passkey.helper')}</p>
        <p>{t('passkey.phoneHow')}</p>
        <p><a class="button" href={helper}>{t('passkey.go')}</a></p>
      </details>
    </>
  )
}

/** Step 4: only the same code on both sides proves that nobody stands between box and phone. */
function Compare({ code, secondsLeft }) {
  const { t } = useText()
  const action = useAction()
  const say = match => action.run(() => call('confirmPasskey', { body: { match } }))
  return (
    <>
      <p>{t('passkey.same')}</p>
      <p role="status"><strong class="code" dir="ltr">{code}</strong></p>
      <TimeLeft seconds={secondsLeft ?? 0} />
      <p class="row">
        <button type="button" disabled={action.busy} onClick={() => say(true)}>{t('passkey.yes')}</button>
        <button type="button" class="grave" disabled={action.busy} onClick={() => say(false)}>{t('passkey.no')}</button>
      </p>
      <p class="small">{t('passkey.noMeans')}</p>
      {action.line}
    </>
  )
}

/** WhatsApp asks for the account's passkey before it links the box: four steps, the current one marked. */
export function Passkey() {
  const { t } = useText()
  const passkey = usePolled(() => call('getPasskey'), 2000)
  if (!passkey.value) return <Missing state={passkey} />
  const { status, code, secondsLeft } = passkey.value
  if (status === 'awaitingResponse') return <><Steps at="passkey" /><Answer asked={passkey.value} /></>
  if (status === 'awaitingConfirmation') return <><Steps at="compare" /><Compare code={code} secondsLeft={secondsLeft} /></>
  return <><Steps at="phone" /><p role="status">{t('passkey.working')}</p></>
}
