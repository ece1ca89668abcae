import type { Refusal } from '../http/errors.ts';

/** How many layers of percent-encoding are taken off to look for a climbing path: some servers decode twice. */
const layers = 3;

/**
 * The path and query to ask the upstream for: the base path of its URL, then exactly what the client asked for.
 * Nothing is decoded or put right, because the upstream and the gateway could then mean different things by it.
 *
 * @param target the request's target, as it came
 * @param base the path of the upstream's URL, without a slash at the end; '' for none
 */
export function upstreamTarget(target: string, base: string): { path: string } | Refusal {
  if (!target.startsWith('/')) {
    return invalid('The request target must be a path that begins with a slash.');
  }
  // RFC 9112 section 3.2: a target is visible ASCII, and has no fragment.
  if (!/^[\x21\x22\x24-\x7e]+$/.test(target)) return invalid('The URL contains an invalid character. Percent-encode spaces, # and non-ASCII characters.');
  if (base !== '' && climbs(target)) {
    return invalid('The URL path contains "..", which could lead out of this API. Remove it.');
  }
  return { path: base + target };
}

/** Whether a server could read a segment of the path as "..", however it is written. */
function climbs(target: string): boolean {
  let path = target.split('?', 1)[0] ?? '';
  for (let layer = 0; layer < layers; layer++) {
    path = path.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  }
  // Some servers take a backslash for a slash, and what follows a semicolon for no part of the segment.
  return /(^|[/\\])\.\.([/\\;?#]|$)/.test(path);
}

function invalid(message: string): Refusal {
  return { code: 'invalid_request', message };
}
