--- What runs may use, have used, and would probably take. Refuses sums of its own: the server's are shown.
local M = {}

---@param usage specloom.Budget|specloom.Spent
---@return string
local function limits(usage)
  local parts = { usage.usd and ("$%.2f"):format(usage.usd) or nil }
  for _, key in ipairs({ "tokens", "turns", "minutes" }) do
    parts[#parts + 1] = usage[key] and ("%d %s"):format(math.floor(usage[key] + 0.5), key) or nil
  end
  return #parts > 0 and table.concat(parts, ", ") or "no limit"
end

---@param estimate specloom.RunEstimateResult
---@return string[]
local function estimated(estimate)
  local cost, turns = estimate.costUsd, estimate.turns
  local guessed = estimate.planned and "" or ", guessed from the requirements,"
  local lines = {
    "",
    "# What is left would probably take",
    "",
    ("- %d tasks%s with %s"):format(estimate.tasks, guessed, estimate.model),
    ("- %d turns (%d to %d)"):format(turns.likely, turns.low, turns.high),
    "- " .. (cost and ("$%.2f ($%.2f to $%.2f)"):format(cost.likely, cost.low, cost.high) or "its price is unknown"),
    estimate.basis == "history" and ("- by %d tasks that were done here"):format(estimate.samples)
      or "- by the shipped examples, as too little was done here",
  }
  local beside = {
    { estimate.rechecked, "proofs to verify again" },
    { estimate.unplanned, "specs without tasks yet, which come on top" },
    { estimate.held, "failed or blocked tasks, left alone" },
  }
  for _, some in ipairs(beside) do
    lines[#lines + 1] = some[1] > 0 and ("- %s: %d"):format(some[2], some[1]) or nil
  end
  return lines
end

--- Shows it in a window.
---@param connection specloom.Connection
---@param scope specloom.Scope
function M.show(connection, scope)
  connection:get("specloom/project/get", vim.empty_dict(), function(now)
    local lines = { "# Budget", "", "- a run may use: " .. limits(now.budget) }
    for _, part in ipairs({ "run", "today" }) do
      local used, name = now[part], part == "run" and "this run" or part
      lines[#lines + 1] = used and ("- %s: %s used of %s"):format(name, limits(used.spent), limits(used.budget)) or nil
    end
    connection:request("specloom/run/estimate", { scope = scope }, function(refused, estimate)
      vim.list_extend(lines, estimate and estimated(estimate) or { "", refused or "" })
      require("specloom.page").show("budget", lines)
    end)
  end)
end

return M
