--- What runs may use, have used, and would probably take. Refuses sums of its own: the server's are shown.
local M = {}

---@param usage specloom.Budget|specloom.Spent
---@return string
local function limits(usage)
  local parts = {}
  for _, key in ipairs({ "usd", "tokens", "turns", "minutes" }) do
    local value = usage[key]
    if value then
      parts[#parts + 1] = key == "usd" and ("$%.2f"):format(value) or ("%d %s"):format(math.floor(value + 0.5), key)
    end
  end
  return #parts > 0 and table.concat(parts, ", ") or "no limit"
end

---@param now specloom.ProjectGetResult
---@return string[]
local function used(now)
  local lines = { "# Budget", "", "- a run may use: " .. limits(now.budget) }
  if now.run then
    lines[#lines + 1] = ("- this run: %s used of %s"):format(limits(now.run.spent), limits(now.run.budget))
  end
  if now.today then
    lines[#lines + 1] = ("- today: %s used of %s"):format(limits(now.today.spent), limits(now.today.budget))
  end
  return lines
end

---@param estimate specloom.RunEstimateResult
---@return string[]
local function estimated(estimate)
  local cost = estimate.costUsd
  local price = cost and ("$%.2f ($%.2f to $%.2f)"):format(cost.likely, cost.low, cost.high) or "its price is unknown"
  local turns = estimate.turns
  return {
    "",
    "# What is left would probably take",
    "",
    ("- %d tasks%s with %s"):format(
      estimate.tasks,
      estimate.planned and "" or ", guessed from the requirements,",
      estimate.model
    ),
    ("- %d turns (%d to %d)"):format(turns.likely, turns.low, turns.high),
    "- " .. price,
    estimate.basis == "history" and ("- by %d tasks that were done here"):format(estimate.samples)
      or "- by the shipped examples, as too little was done here",
  }
end

--- Shows it in a window.
---@param connection specloom.Connection
---@param scope specloom.Scope
function M.show(connection, scope)
  connection:request("specloom/project/get", vim.empty_dict(), function(refused, now)
    if refused or not now then
      return require("specloom.tell").warn(refused or "Specloom: nothing is known")
    end
    connection:request("specloom/run/estimate", { scope = scope }, function(why, estimate)
      local lines = vim.list_extend(used(now), estimate and estimated(estimate) or { "", why or "" })
      require("specloom.page").show("budget", lines)
    end)
  end)
end

return M
