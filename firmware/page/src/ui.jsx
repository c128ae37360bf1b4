import { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { call } from './api.js'
import { useText } from './i18n.js'

/** Nothing on the page has the focus: what had it is gone, or cannot have it any more. */
export const focusIsLost = () => !document.activeElement || document.activeElement === document.body

/** Runs `work` now and every `ms` while the tab is seen; its answer, and since when there was none. */
export function usePolled(work, ms, key = '') {
  const [state, setState] = useState({ value: null, error: null, since: 0 })
  const heard = useRef(0)
  const latest = useRef(work)
  latest.current = work
  useEffect(() => {
    let over = false
    let timer = 0
    const turn = async () => {
      clearTimeout(timer)
      if (over) return
      if (!document.hidden) {
        try {
          const value = await latest.current()
          heard.current = Date.now() / 1000
          if (!over) setState({ value, error: null, since: 0 })
        } catch (error) {
          heard.current ||= Date.now() / 1000
          if (!over) setState(old => ({ value: error.status ? null : old.value, error, since: heard.current }))
        }
      }
      if (!over) timer = setTimeout(turn, ms)
    }
    const seen = () => { if (!document.hidden) turn() }
    document.addEventListener('visibilitychange', seen)
    turn()
    return () => {
      over = true
      clearTimeout(timer)
      document.removeEventListener('visibilitychange', seen)
    }
  }, [key])
  return state
}

/** setState that does nothing once its part of the page is gone: answers may come later than that. */
function useStateWhileShown(first) {
  const [state, setState] = useState(first)
  const shown = useRef(true)
  useEffect(() => () => { shown.current = false }, [])
  return [state, value => { if (shown.current) setState(value) }]
}

/** What an action of the reader's came to: run(work) and the line that tells it. */
export function useAction() {
  const { t } = useText()
  const [state, setState] = useStateWhileShown({ busy: false, text: '', bad: false, detail: '' })
  const pressed = useRef(null)
  // A button that is switched off meanwhile loses the focus to nobody.
  useLayoutEffect(() => {
    if (!state.busy && focusIsLost()) pressed.current?.focus({ preventScroll: true })
  }, [state.busy])
  const run = async (work, done) => {
    pressed.current = focusIsLost() ? null : document.activeElement
    setState({ busy: true, text: '', bad: false, detail: '' })
    try {
      await work()
      setState({ busy: false, text: done ?? '', bad: false, detail: '' })
      return true
    } catch (error) {
      const text = !error.status ? t('error.offline') : error.status === 401 ? t('error.password') : t('error.refused')
      setState({ busy: false, text, bad: true, detail: error.status ? error.message : '' })
      return false
    }
  }
  const line = (
    <p class={state.bad ? 'result bad' : 'result'} role={state.bad ? 'alert' : 'status'}>
      {state.text}{state.detail && <> <span lang="en" dir="ltr">{state.detail}</span></>}
    </p>
  )
  return { run, busy: state.busy, line }
}

export function Card({ title, children, tone }) {
  const id = useId()
  return (
    <section class={`card ${tone ?? ''}`} aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {children}
    </section>
  )
}

export function Field({ label, help, ...input }) {
  const id = useId()
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {input.rows ? <textarea id={id} {...input} /> : <input id={id} {...input} />}
      {help && <small>{help}</small>}
    </div>
  )
}

export function Password({ label, help, value, onInput, isNew }) {
  const { t } = useText()
  const [shown, setShown] = useState(false)
  return (
    <div>
      <Field label={label} help={help} type={shown ? 'text' : 'password'} value={value} onInput={onInput} required
        minLength={isNew ? 8 : 1} maxLength={128} autocomplete={isNew ? 'new-password' : 'current-password'} dir="ltr" />
      <label class="check"><input type="checkbox" checked={shown} onChange={e => setShown(e.target.checked)} /> {t('password.show')}</label>
    </div>
  )
}

export function CopyButton({ label, value }) {
  const { t } = useText()
  const [copied, setCopied] = useStateWhileShown(false)
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(value)
    } catch {
      // Over plain HTTP a browser has no clipboard for pages: select it and copy the old way.
      const area = document.createElement('textarea')
      area.value = value
      document.body.append(area)
      area.select()
      document.execCommand('copy')
      area.remove()
    }
    setCopied(true)
    setTimeout(() => setCopied(false), 4000)
  }
  return (
    <>
      <button type="button" class="quiet" onClick={copy} aria-label={`${t('copy.copy')}: ${label}`}>{t('copy.copy')}</button>
      <span role="status">{copied ? t('copy.copied') : ''}</span>
    </>
  )
}

/** A value to be copied; a secret one is dots until it is asked for. */
export function Copy({ label, value, secret }) {
  const { t } = useText()
  const [shown, setShown] = useState(!secret)
  return (
    <div class="copy">
      <span class="name">{label}</span>
      <code dir="ltr">{shown ? value : '••••••••••••'}</code>
      <span class="row">
        {secret && <button type="button" class="quiet" onClick={() => setShown(!shown)} aria-label={`${shown ? t('copy.hide') : t('copy.show')}: ${label}`}>{shown ? t('copy.hide') : t('copy.show')}</button>}
        <CopyButton label={label} value={value} />
      </span>
    </div>
  )
}

/** A button that opens a form in place, so that nothing grave is one click away. The focus goes along, and back. */
export function Grave({ label, children }) {
  const { t } = useText()
  const [open, setOpen] = useStateWhileShown(false)
  const place = useRef(null)
  const first = useRef(true)
  useLayoutEffect(() => {
    if (first.current) first.current = false
    else if (open) place.current.querySelector('input, select, textarea, button')?.focus()
    else if (focusIsLost()) place.current.focus()
  }, [open])
  if (!open) return <button type="button" class="grave" ref={place} onClick={() => setOpen(true)}>{label}</button>
  return (
    <div class="asks" ref={place}>
      {children(() => setOpen(false))}
      <button type="button" class="quiet" onClick={() => setOpen(false)}>{t('cancel')}</button>
    </div>
  )
}

/** upload(method, body) for files, and the line that says how far one has come. */
export function useUpload() {
  const { t, number } = useText()
  const [share, setShare] = useStateWhileShown(null)
  const upload = async (method, body) => {
    setShare(0)
    try {
      return await call(method, { body, told: setShare })
    } finally {
      setShare(null)
    }
  }
  const line = share !== null && (
    <p><progress max={1} value={share} aria-label={t('upload.name')} /> {t('upload.sent', { percent: number(Math.floor(share * 100)) })}</p>
  )
  return { upload, line }
}

/** The box's own sentence, which is English whatever the page's language. */
export function Said({ text }) {
  const { t, code } = useText()
  if (!text) return null
  return <p>{code !== 'en' && <>{t('box.says')} </>}<span lang="en" dir="ltr">{text}</span></p>
}

export function Missing({ state }) {
  const { t, time } = useText()
  if (!state.error) return state.value === null ? <p class="loading" role="status">{t('loading')}</p> : null
  if (state.error.status) return <p class="result bad" role="alert">{t('error.refused')} <span lang="en" dir="ltr">{state.error.message}</span></p>
  return <p class="result bad" role="alert">{t('error.lost', { time: time(state.since) })}</p>
}

export const phoneOf = chat => (chat ?? '').split('@')[0]
export const masked = phone => `…${phone.slice(-4)}`
