import { statfsSync } from 'node:fs';
import { type Browser, type BrowserContextOptions, chromium as launcher, type Page } from 'playwright-core';
import { shareAmongTestFiles } from './end-of-run.ts';

/** A page that records all its problems. */
export interface WatchedPage {
  page: Page;
  /** Console errors and warnings, uncaught errors, and violations of the content security policy. */
  problems: string[];
}

/**
 * The browser from npm contains the libraries that it needs (libnss3 and others), but unpacks them only on this cloud
 * service. Setting the variable before the import avoids the Debian packages.
 */
process.env.AWS_LAMBDA_JS_RUNTIME ??= 'nodejs24.x';
const { default: chromium } = await import('@sparticuz/chromium');

/**
 * Whether Chromium can share memory between its processes in `/dev/shm`. Otherwise it creates a file on a disk for each
 * piece, which takes a tenth of its CPU time. A container may have too little of this memory (Docker: 64 MB).
 */
function hasSharedMemory(): boolean {
  try {
    const { bavail, bsize } = statfsSync('/dev/shm');
    return bavail * bsize >= 2 ** 30;
  } catch {
    return false;
  }
}

/**
 * Starts real Chromium from npm. Its default arguments would disable web security; these keep it enabled.
 *
 * @param host a name, and optionally the address that it stands for
 */
export async function launchBrowser(host = 'soku.example 127.0.0.1'): Promise<Browser> {
  return launcher.launch({
    ignoreDefaultArgs: hasSharedMemory() ? ['--disable-dev-shm-usage'] : [],
    executablePath: await chromium.executablePath(),
    args: [
      '--no-sandbox',
      '--disable-gpu',
      // Pages are too short-lived for optimized code to pay off.
      '--js-flags=--no-maglev,--no-opt',
      '--disable-background-networking',
      // All pages of a site share a process, which compiles the dashboard once instead of once for each context.
      '--renderer-process-limit=1',
      // A name other than localhost, so that plain http is not trusted, as in a home network.
      `--host-resolver-rules=MAP ${host}`,
    ],
  });
}

/** A browser that all test files of this process share. Each page has its own context (cookies, storage, cache). */
export const sharedBrowser = shareAmongTestFiles(
  () => launchBrowser(),
  (browser) => browser.close(),
);

/** Logs violations, because not all of them reach the console by themselves. */
const logViolations = `document.addEventListener('securitypolicyviolation', (event) => {
  console.error('content security policy: ' + event.violatedDirective + ' ' + event.blockedURI + ' ' + event.sample);
});`;

/** A new page in its own context (cookies, storage). */
export async function newPage(browser: Browser, options: BrowserContextOptions = {}): Promise<WatchedPage> {
  const context = await browser.newContext({ locale: 'en-GB', timezoneId: 'Europe/Berlin', ...options });
  await context.addInitScript(logViolations);
  const page = await context.newPage();
  return { page, problems: watch(page) };
}

/** Collects a page's problems from now on. */
export function watch(page: Page): string[] {
  const problems: string[] = [];
  page.on('console', (message) => {
    if (!['error', 'warning'].includes(message.type())) return;
    // The text does not name the resource that could not be loaded.
    problems.push(`${message.text()} (${message.location().url})`);
  });
  page.on('pageerror', (error) => problems.push(String(error)));
  return problems;
}
