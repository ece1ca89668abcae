import './HostDrawing.css';
import { hostTeeth } from './host-teeth.ts';

/** Sizes in px of the drawing beside the form: where a tooth of each length ends, and how long its edge is. */
const wide = { ends: [240, 192, 144, 96], edge: 112, height: 1600, width: 480 } as const;

/** Sizes in px of the drawing above the form, where the teeth hang from the edge of the screen. */
const narrow = { ends: [32, 48, 64, 80], edge: 56, height: 88, width: 896 } as const;

/** A blade at scale, with the length of each tooth. Decorative. */
export function HostDrawing({ host }: { host: string }) {
  return (
    <div className="host-drawing">
      <Beside teeth={hostTeeth(host, Math.ceil(wide.height / wide.edge) + 1)} />
      <Above teeth={hostTeeth(host, narrow.width / narrow.edge)} />
    </div>
  );
}

/** The blade enters from the right. The first tooth is cut in half by the upper edge. */
function Beside({ teeth }: { teeth: number[] }) {
  const { ends, edge, height, width } = wide;
  const line = teeth.map((length, index) => `H${ends[length]}V${edge / 2 + index * edge}`).join('');
  return (
    <svg
      className="host-drawing__wide"
      viewBox={`0 0 ${width} 900`}
      preserveAspectRatio="xMinYMin slice"
      aria-hidden="true"
    >
      <path className="host-drawing__blade" d={`M${width} 0${line}V${height}H${width}Z`} />
      {ends.map((x) => (
        <line key={x} className="host-drawing__depth" x1={x} x2={x} y1="0" y2={height} />
      ))}
      <path className="host-drawing__cut" d={`M${ends[teeth[0] ?? 0]} 0${line}`} />
      {teeth.slice(1).map((length, index) => {
        const y = edge + index * edge + 4;
        return (
          <text key={y} x={(ends[length] ?? 0) + 14} y={y}>
            {length}
          </text>
        );
      })}
    </svg>
  );
}

function Above({ teeth }: { teeth: number[] }) {
  const { ends, edge, height, width } = narrow;
  const line = teeth.map((length, index) => `V${ends[length]}H${(index + 1) * edge}`).join('');
  return (
    <svg
      className="host-drawing__narrow"
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="xMinYMin slice"
      aria-hidden="true"
    >
      <path className="host-drawing__blade" d={`M0 0${line}V0Z`} />
      <path className="host-drawing__cut" d={`M0 ${ends[teeth[0] ?? 0]}${line}`} />
    </svg>
  );
}
