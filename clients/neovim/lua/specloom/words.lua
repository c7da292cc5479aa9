--- Signs, numbers, times and widths as people read them. Refuses to know where they stand.
local M = {}

--- By what they say: the sign, the same in ASCII, and its highlight group.
---@type table<string, { [1]: string, [2]: string, [3]: string }>
M.SIGNS = {
  pending = { "·", ".", "SpecloomPending" },
  ready = { "○", "o", "SpecloomReady" },
  in_progress = { "▶", ">", "SpecloomInProgress" },
  done = { "✓", "x", "SpecloomDone" },
  failed = { "✗", "!", "SpecloomFailed" },
  blocked = { "■", "#", "SpecloomBlocked" },
  skipped = { "–", "-", "SpecloomSkipped" },
  stale = { "≈", "~", "SpecloomStale" },
  outdated = { "≠", "%", "SpecloomStale" },
  paused = { "⏸", "=", "SpecloomBlocked" },
  waiting = { "?", "?", "SpecloomWaiting" },
  agent = { "◆", "*", "SpecloomAgent" },
  prompt = { "»", ">", "SpecloomPrompt" },
  open = { "▾", "v", "SpecloomFold" },
  closed = { "▸", ">", "SpecloomFold" },
}

---Seconds since 1970 of an ISO time in UTC, nil for none.
---@param at string?
---@return number?
function M.seconds(at)
  local year, month, day, hour, minute, second = (at or ""):match("^(%d+)-(%d+)-(%d+)T(%d+):(%d+):([%d.]+)")
  if not year then
    return nil
  end
  -- Days of the civil calendar, its year begun in March.
  local y = tonumber(month) <= 2 and tonumber(year) - 1 or tonumber(year)
  local of_year = math.floor((153 * ((tonumber(month) + 9) % 12) + 2) / 5) + tonumber(day) - 1
  local days = 365 * y + math.floor(y / 4) - math.floor(y / 100) + math.floor(y / 400) + of_year - 719468
  return days * 86400 + tonumber(hour) * 3600 + tonumber(minute) * 60 + tonumber(second)
end

---`4s`, `3m 20s`, `2h 05m`.
---@param seconds number
---@return string
function M.duration(seconds)
  local whole = math.max(0, math.floor(seconds))
  if whole < 60 then
    return whole .. "s"
  elseif whole < 3600 then
    return ("%dm %02ds"):format(whole / 60, whole % 60)
  end
  return ("%dh %02dm"):format(whole / 3600, whole % 3600 / 60)
end

---From one time to another, or to now; nil where it did not begin.
---@param from string?
---@param to string?
---@param now number seconds since 1970
---@return string?
function M.span(from, to, now)
  local began = M.seconds(from)
  return began and M.duration((M.seconds(to) or now) - began) or nil
end

---`$0.12`; what costs less than a cent still shows; nil for nothing used, or without a known price.
---@param usage specloom.Usage
---@return string?
function M.money(usage)
  local cost = usage.costUsd
  if type(cost) ~= "number" or cost <= 0 then
    return nil
  end
  return (cost < 0.01 and "$%.4f" or "$%.2f"):format(cost)
end

---@param number integer
---@param noun string
---@return string
function M.count(number, noun)
  return ("%d %s%s"):format(number, noun, number == 1 and "" or "s")
end

---The first line of a text, without what would break a line of the screen.
---@param text string
---@return string
function M.line(text)
  return (text:gsub("^%s+", ""):gsub("\r?\n.*", " …"):gsub("%c", " "))
end

---@param text string
---@return integer cells, in whatever window: what `strdisplaywidth` says depends on the current one
function M.width(text)
  return text:find("[\128-\255]") and vim.api.nvim_strwidth(text) or #text
end

---The text in at most so many cells.
---@param text string
---@param cells integer
---@return string
function M.fit(text, cells)
  if M.width(text) <= cells then
    return text
  elseif cells < 1 then
    return ""
  end
  local kept = vim.fn.strcharpart(text, 0, cells - 1)
  while M.width(kept) > cells - 1 do
    kept = vim.fn.strcharpart(kept, 0, vim.fn.strchars(kept) - 1)
  end
  return kept .. "…"
end

return M
