// Runs before the first paint, so that a chosen theme does not flash in the other one first.
(() => {
  try {
    const theme = localStorage.getItem('soku.theme');
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  } catch {
    // Storage is refused: the system's theme stays.
  }
})();
