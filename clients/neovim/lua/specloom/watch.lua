--- Has all parts of the plugin listen, once, from the first server on. Refuses to do anything itself.
local M = {}

local begun = false

function M.begin()
  if begun then
    return
  end
  begun = true
  require("specloom.documents").begin()
  require("specloom.status").begin()
  require("specloom.approvals").begin()
end

return M
