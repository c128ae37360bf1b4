import { useText } from './i18n.js'

const kKinds = ['sent', 'delivered', 'failed']
const kWidth = 24 * 12
const kHeight = 96

/** Three bars an hour, in the order of the legend; beside the picture the same in words and as a table. */
export function Bars({ hours }) {
  const { t, number, hour } = useText()
  const sums = Object.fromEntries(kKinds.map(kind => [kind, hours.reduce((sum, one) => sum + one[kind], 0)]))
  const most = Math.max(1, ...hours.flatMap(one => kKinds.map(kind => one[kind])))
  const words = t('bars.sum', sums)
  if (kKinds.every(kind => sums[kind] === 0)) return <p>{t('bars.none')}</p>
  return (
    <>
      <p>{words}</p>
      <svg class="bars" viewBox={`0 0 ${kWidth} ${kHeight}`} preserveAspectRatio="none" role="img" aria-label={words} direction="ltr">
        <line x1="0" x2={kWidth} y1={kHeight} y2={kHeight} class="ground" />
        {hours.flatMap((one, i) => kKinds.map((kind, k) => {
          const height = one[kind] === 0 ? 0 : Math.max(2, one[kind] / most * (kHeight - 4))
          return <rect key={`${i}${kind}`} class={kind} x={i * 12 + 1 + k * 3.5} y={kHeight - height} width="3" height={height} />
        }))}
      </svg>
      <p class="hours small" dir="ltr" aria-hidden="true">
        {[0, 6, 12, 18, 23].map(i => <span key={i}>{hour(hours[i].from)}</span>)}
      </p>
      <ul class="legend">{kKinds.map(kind => <li key={kind}><span class={`key ${kind}`} aria-hidden="true" /> {t(`bars.${kind}`)}</li>)}</ul>
      <details>
        <summary>{t('bars.table')}</summary>
        <table>
          <thead><tr><th scope="col">{t('bars.hour')}</th>{kKinds.map(kind => <th key={kind} scope="col">{t(`bars.${kind}`)}</th>)}</tr></thead>
          <tbody>{hours.filter(one => kKinds.some(kind => one[kind])).map(one => (
            <tr key={one.from}><th scope="row">{hour(one.from)}</th>{kKinds.map(kind => <td key={kind}>{number(one[kind])}</td>)}</tr>
          ))}</tbody>
        </table>
      </details>
    </>
  )
}
