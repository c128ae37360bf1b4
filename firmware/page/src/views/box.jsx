import { useState } from 'preact/hooks'
import { call, download, page } from '../api.js'
import { useText } from '../i18n.js'
import { Card, Field, Grave, Missing, Password, useAction, usePolled, useUpload } from '../ui.jsx'

const lookUp = async () => {
  const [health, board, update] = await Promise.all([page('/healthz'), call('getBoardStatus'), call('getUpdateStatus')])
  return { health, board, update }
}

function Facts({ health, board }) {
  const { t, number, time } = useText()
  const mega = bytes => bytes == null ? t('unknown') : `${number(Math.round(bytes / 1e6))} MB`
  const known = value => value === null || value === undefined ? t('unknown') : value
  const yes = value => value === null || value === undefined ? t('unknown') : value ? t('yes') : t('no')
  const rows = [
    ['box.version', <span dir="ltr">{health.version}</span>],
    ['box.board', known(board.board ?? board.model)],
    ['box.serial', known(board.serial)],
    ['box.slot', known(board.slot)],
    ['box.storage', health.storageOk ? t('box.works') : t('box.broken')],
    ['box.clock', yes(health.clockTrusted)],
    ['box.free', mega(board.freeBytes)],
    ['box.memory', mega(board.memoryBytes)],
    ['box.ours', mega(board.residentBytes)],
    ['box.since', board.uptimeSeconds == null ? t('unknown') : time(Date.now() / 1000 - board.uptimeSeconds)],
    ['box.worn', board.storageWornPercent == null ? t('unknown') : `${number(board.storageWornPercent)} %`],
    ['box.temperature', board.temperatureCelsius == null ? t('unknown') : `${number(board.temperatureCelsius)} °C`],
    ['box.voltage', yes(board.underVoltage)],
    ['box.watchdog', yes(board.watchdogArmed)]
  ]
  return <dl class="facts">{rows.map(([key, value]) => <div key={key}><dt>{t(key)}</dt><dd>{value}</dd></div>)}</dl>
}

export function Restore({ done }) {
  const { t } = useText()
  const [file, setFile] = useState(null)
  const [passphrase, setPassphrase] = useState('')
  const action = useAction()
  const { upload, line } = useUpload()
  const send = event => {
    event.preventDefault()
    action.run(async () => {
      await upload('uploadBackup', file)
      await call('restoreBackup', { body: { size: file.size, passphrase, confirm: 'replace' } })
      done?.()
    }, t('restore.done'))
  }
  return (
    <form onSubmit={send}>
      <p>{t('restore.what')}</p>
      <Field label={t('restore.file')} type="file" required onChange={e => setFile(e.target.files[0])} />
      <Password label={t('backup.password')} value={passphrase} onInput={e => setPassphrase(e.target.value)} />
      <button class="grave" disabled={action.busy || !file}>{t('restore.go')}</button>
      {line}
      {action.line}
    </form>
  )
}

function Backup() {
  const { t } = useText()
  const [passphrase, setPassphrase] = useState('')
  const action = useAction()
  const send = event => {
    event.preventDefault()
    action.run(async () => {
      await call('makeBackup', { body: { passphrase } })
      await download('readBackup', 'posthorn.backup')
    }, t('backup.done'))
  }
  return (
    <form onSubmit={send}>
      <p>{t('backup.what')}</p>
      <Password label={t('backup.password')} help={t('backup.help')} value={passphrase} onInput={e => setPassphrase(e.target.value)} isNew />
      <button disabled={action.busy}>{t('backup.go')}</button>
      {action.line}
    </form>
  )
}

function Update({ update }) {
  const { t, has } = useText()
  const [file, setFile] = useState(null)
  const action = useAction()
  const { upload, line } = useUpload()
  if (update.backEnd === 'none') return <p>{t('update.none')}</p>
  const send = event => {
    event.preventDefault()
    action.run(async () => {
      await upload('uploadUpdate', file)
      await call('installUpdate', { body: { size: file.size } })
    }, t('update.accepted'))
  }
  return (
    <form onSubmit={send}>
      <p>{t('update.what')}</p>
      <Field label={t('update.file')} type="file" accept=".raucb" required onChange={e => setFile(e.target.files[0])} />
      <button disabled={action.busy || !file}>{t('update.go')}</button>
      {line}
      {update.state !== 'none' && <p role="status">{t('update.state')} {has(`update.${update.state}`) ? t(`update.${update.state}`) : update.state} <span lang="en" dir="ltr">{update.detail}</span></p>}
      {action.line}
    </form>
  )
}

function Reset() {
  const { t } = useText()
  const [what, setWhat] = useState('settings')
  const [typed, setTyped] = useState('')
  const action = useAction()
  const send = event => {
    event.preventDefault()
    action.run(() => call('resetBox', { body: { what, confirm: typed } }), t('reset.done'))
  }
  return (
    <>
      <p>{t('reset.what')}</p>
      <Grave label={t('reset.go')}>{() => (
        <form onSubmit={send}>
          <fieldset>
            <legend>{t('reset.which')}</legend>
            {['network', 'settings', 'everything'].map(one => (
              <label class="check" key={one}><input type="radio" name="what" checked={what === one} onChange={() => setWhat(one)} /> {t(`reset.${one}`)}</label>
            ))}
          </fieldset>
          <Field label={t('reset.type', { word: what })} value={typed} autocomplete="off" dir="ltr" onInput={e => setTyped(e.target.value)} />
          <button class="grave" disabled={action.busy || typed !== what}>{t('reset.go')}</button>
        </form>
      )}</Grave>
      {action.line}
    </>
  )
}

export function Box() {
  const { t } = useText()
  const state = usePolled(lookUp, 10_000)
  const helping = useAction()
  const restart = useAction()
  return (
    <>
      <Card title={t('box.title')}>
        <Missing state={state} />
        {state.value && <Facts {...state.value} />}
        <div class="row">
          <button type="button" class="quiet" disabled={helping.busy} onClick={() => helping.run(() => download('getSupportBundle', 'posthorn-diagnose.tar.gz'), t('diagnose.done'))}>{t('diagnose.go')}</button>
          <Grave label={t('restart.go')}>{close => (
            <button type="button" class="grave" disabled={restart.busy} onClick={() => restart.run(() => call('restartBox', { body: { confirm: 'restart' } }).then(close), t('restart.done'))}>{t('restart.sure')}</button>
          )}</Grave>
        </div>
        <p class="small">{t('diagnose.what')}</p>
        {helping.line}
        {restart.line}
      </Card>
      <Card title={t('update.title')}>{state.value ? <Update update={state.value.update} /> : <Missing state={state} />}</Card>
      <Card title={t('backup.title')}><Backup /></Card>
      <Card title={t('restore.title')}><Grave label={t('restore.open')}>{() => <Restore />}</Grave></Card>
      <Card title={t('reset.title')}><Reset /></Card>
    </>
  )
}
