/**
 * What Chromium's translator does to a page: each text node is replaced with <font><font>text</font></font>, at once and
 * after every later change. The words stay as they are, so that a test can still read them; what React goes on writing
 * to a node that was replaced is not seen by anybody.
 */
export const translator = `(() => {
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
