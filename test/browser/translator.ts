/**
 * Simulates Chromium's translator: each text node is replaced with <font><font>text</font></font>, immediately and after
 * every later change. The text itself stays the same, so that tests can read it. Text that React writes to a replaced
 * node is not visible.
 */
export const translatorScript = `(() => {
  const skipped = 'title, script, style, noscript, textarea, svg, [translate="no"], .notranslate';
  const isWaiting = (node) =>
    node.parentElement !== null && node.parentElement.localName !== 'font' && node.parentElement.closest(skipped) === null;
  const translate = (node) => {
    const outer = document.createElement('font');
    const inner = document.createElement('font');
    inner.append(node.data);
    outer.append(inner);
    node.replaceWith(outer);
    window.translatedNodes += 1;
  };
  const translateAll = () => {
    const walker = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_TEXT);
    const nodes = [];
    while (walker.nextNode()) nodes.push(walker.currentNode);
    for (const node of nodes) if (isWaiting(node)) translate(node);
  };
  window.translatedNodes = 0;
  new MutationObserver(translateAll).observe(document, { childList: true, characterData: true, subtree: true });
})();`;
