import { useEffect, useState } from 'preact/hooks'
import { page } from '../api.js'
import { languages, useText } from '../i18n.js'
import { Card, Password, useAction } from '../ui.jsx'
import { Restore } from './box.jsx'
import { LinkPhone } from './link.jsx'
import { TestMessage } from './send.jsx'
import { TillAccess, ZoneNote } from './settings.jsx'

const steps = ['language', 'password', 'start', 'link', 'test', 'till']

function SetPassword({ session, enter, refresh, next }) {
  const { t } = useText()
  const [password, setPassword] = useState('')
  const action = useAction()
  if (session.passwordSet) {
    return (
      <>
        <p>{t('welcome.passwordSet')}</p>
        <button type="button" onClick={next}>{t('next')}</button>
      </>
    )
  }
  if (session.firstPasswordSeconds === 0) {
    return (
      <>
        <p class="result bad">{t('welcome.tooLate')}</p>
        <button type="button" onClick={refresh}>{t('welcome.tryAgain')}</button>
      </>
    )
  }
  const send = event => {
    event.preventDefault()
    action.run(async () => {
      enter(await page('/password', 'POST', { password }))
      next()
    })
  }
  return (
    <form onSubmit={send}>
      <p>{t('welcome.passwordWhat')}</p>
      <input type="text" name="username" autocomplete="username" value="posthorn" class="unseen" tabIndex={-1} aria-hidden="true" readOnly />
      <Password label={t('password.new')} help={t('password.help')} value={password} onInput={e => setPassword(e.target.value)} isNew />
      {location.protocol === 'http:' && <p class="small">{t('welcome.plain')}</p>}
      <button disabled={action.busy}>{t('welcome.setPassword')}</button>
      {action.line}
    </form>
  )
}

/** Step by step; where somebody was is kept for this tab, so that a reload loses nothing. */
export function Welcome({ session, enter, refresh, go, choose }) {
  const { t, code } = useText()
  const [step, setStep] = useState(() => Number(sessionStorage.getItem('posthorn.step') ?? 0))
  const [restoring, setRestoring] = useState(false)
  const [done, setDone] = useState(false)
  // Without a session nothing beyond the password can be done.
  const at = session.loggedIn ? Math.min(step, steps.length - 1) : Math.min(step, 1)
  useEffect(() => { sessionStorage.setItem('posthorn.step', String(at)) }, [at])
  const next = () => {
    setDone(false)
    setStep(at + 1)
    scrollTo(0, 0)
  }
  const finish = () => {
    sessionStorage.removeItem('posthorn.step')
    go('/')
  }
  const name = steps[at]
  return (
    <>
      <p role="status">{t('welcome.step', { now: at + 1, all: steps.length })}</p>
      <Card title={t(`welcome.${name}`)} key={name}>
        {name === 'language' && (
          <>
            <p>{t('welcome.what')}</p>
            <fieldset>
              <legend>{t('language')}</legend>
              {Object.entries(languages).map(([key, label]) => (
                <label class="check" key={key} lang={key}><input type="radio" name="language" checked={key === code} onChange={() => choose(key)} /> {label}</label>
              ))}
            </fieldset>
            <button type="button" onClick={next}>{t('next')}</button>
          </>
        )}
        {name === 'password' && <SetPassword session={session} enter={enter} refresh={refresh} next={next} />}
        {name === 'start' && (
          <>
            <p>{t('welcome.startWhat')}</p>
            <div class="row">
              <button type="button" onClick={next}>{t('welcome.new')}</button>
              <button type="button" class="quiet" aria-expanded={restoring} onClick={() => setRestoring(!restoring)}>{t('welcome.restore')}</button>
            </div>
            {restoring && <Restore />}
          </>
        )}
        {name === 'link' && (
          <>
            <LinkPhone done={() => setDone(true)} />
            <div class="row">
              {done ? <button type="button" onClick={next}>{t('next')}</button> : <button type="button" class="quiet" onClick={next}>{t('welcome.later')}</button>}
            </div>
          </>
        )}
        {name === 'test' && (
          <>
            <p>{t('welcome.testWhat')}</p>
            <TestMessage done={() => setDone(true)} />
            <div class="row">
              {done ? <button type="button" onClick={next}>{t('next')}</button> : <button type="button" class="quiet" onClick={next}>{t('welcome.later')}</button>}
            </div>
          </>
        )}
        {name === 'till' && (
          <>
            <TillAccess />
            <ZoneNote />
            <button type="button" onClick={finish}>{t('welcome.finish')}</button>
          </>
        )}
        {at > 0 && !(at === 2) && session.loggedIn && <p><button type="button" class="quiet" onClick={() => setStep(at - 1)}>{t('back')}</button></p>}
      </Card>
    </>
  )
}
