--- Fetches a snapshot after documents were read again, which events only tell of. Refuses to do so for each event.
local client = require("specloom.client")

local M = {}

local SOON_MS = 150
local SELDOM_MS = 2000

---@type table<string, boolean> roots whose snapshot is due
local due = {}

local function heard(connection)
  if not connection.projection.change.again or due[connection.root] then
    return
  end
  due[connection.root] = true
  -- A snapshot of thousands of tasks takes a while to read; whoever types a spec causes one every two seconds.
  local many = next(connection.projection.tasks) ~= nil and vim.tbl_count(connection.projection.tasks) > 1000
  vim.defer_fn(function()
    due[connection.root] = nil
    if connection.lsp then
      connection:fetch()
    end
  end, many and SELDOM_MS or SOON_MS)
end

---From now on.
function M.listen()
  M.listen = function() end
  client.on("event", heard)
end

return M
