// How long tasks of the pages' threads kept them: by the clock, and what they had of a CPU, which others beside cannot lengthen.

/** Counts from now on, in all pages of the browser; what is returned ends it and tells the longest, in milliseconds. */
export async function tasksOf(bench) {
  const session = await bench.page.context().browser().newBrowserCDPSession();
  const events = [];
  session.on('Tracing.dataCollected', ({ value }) => events.push(...value.filter(isOfUse)));
  const traceConfig = { recordMode: 'recordUntilFull', traceBufferSizeInKb: 200_000, includedCategories: ['toplevel'], excludedCategories: ['*'] };
  await session.send('Tracing.start', { transferMode: 'ReportEvents', traceConfig });
  return async () => {
    const over = new Promise((resolve) => session.once('Tracing.tracingComplete', resolve));
    await session.send('Tracing.end');
    await over;
    await session.detach();
    return longest(events);
  };
}

function isOfUse({ name }) {
  return name === 'thread_name' || name === 'ThreadControllerImpl::RunTask';
}

function longest(events) {
  const thread = ({ pid, tid }) => `${pid} ${tid}`;
  const pages = new Set(events.filter((one) => one.args?.name === 'CrRendererMain').map(thread));
  const tasks = events.filter((one) => one.ph === 'X' && pages.has(thread(one)));
  const most = (key) => tasks.reduce((found, one) => Math.max(found, (one[key] ?? 0) / 1000), 0);
  return { tasks: tasks.length, task_ms: most('dur'), task_cpu_ms: most('tdur') };
}
