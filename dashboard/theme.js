// Before the first paint: the colours that the reader chose last time.
try {
  const theme = localStorage.getItem("beira-theme");
  if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
} catch {
  // No storage: the system's colours.
}
