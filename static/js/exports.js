// Keep the page of files true while some are being made: numbers move, and a finished one reloads the page.
(() => {
  const list = document.querySelector("[data-exports]");
  if (!list) return;
  const rows = [...list.querySelectorAll("[data-job]")];
  const open = (row) => ["waiting", "running"].includes(row.dataset.status);
  const look = async () => {
    if (!rows.some(open)) return;
    try {
      const answer = await fetch(list.dataset.exports, { headers: { Accept: "application/json" } });
      const { jobs } = await answer.json();
      for (const job of jobs) {
        const row = rows.find((one) => one.dataset.job === String(job.id));
        if (!row) continue;
        if (job.status !== row.dataset.status) {
          location.reload();
          return;
        }
        row.querySelector("[data-done]").textContent = job.done;
        const bar = row.querySelector("[data-bar]");
        if (bar && job.total) bar.setAttribute("width", Math.floor((100 * job.done) / job.total));
      }
    } catch {
      // The next look finds the server again.
    }
    setTimeout(look, 2000);
  };
  setTimeout(look, 1000);
})();
