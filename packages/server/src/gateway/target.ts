import type { ApiProblem } from '../http/errors.ts';

/** How often percent-encoding is decoded to detect path traversal, because some servers decode twice. */
const layers = 3;

/**
 * The path and query for the upstream: the base path of its URL, followed by exactly what the client sent. Nothing is
 * decoded or corrected, because the upstream and the gateway could then interpret the path differently.
 *
 * @param target the request target as received
 * @param base the path of the upstream's URL, without a trailing slash; '' for none
 */
export function upstreamTarget(target: string, base: string): { path: string } | ApiProblem {
  if (!target.startsWith('/')) {
    return invalid('The request target must be a path that begins with a slash.');
  }
  // RFC 9112 section 3.2: a target is visible ASCII, and has no fragment.
  if (!/^[\x21\x22\x24-\x7e]+$/.test(target))
    return invalid(
      'The URL contains an invalid character. Percent-encode spaces, # and non-ASCII characters.',
    );
  if (base !== '' && climbs(target)) {
    return invalid('The URL path contains "..", which could lead out of this API. Remove it.');
  }
  return { path: base + target };
}

/** Whether a server could interpret a segment of the path as "..", in any encoding. */
function climbs(target: string): boolean {
  let path = target.split('?', 1)[0] ?? '';
  for (let layer = 0; layer < layers; layer++) {
    path = path.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  }
  // Some servers treat a backslash as a slash, and do not count what follows a semicolon as part of the segment.
  return /(^|[/\\])\.\.([/\\;?#]|$)/.test(path);
}

function invalid(message: string): ApiProblem {
  return { code: 'invalid_request', message };
}
