--- Joins what changes a view until the next tick. Refuses to know what is drawn.

local M = {}

local TICK_MS = 30

---Draws at the next tick; until then more may come. `draw` sets `due` to false.
---@param view { due: boolean, draw: fun(self: table) }
function M.soon(view)
  if not view.due then
    view.due = true
    vim.defer_fn(function()
      view:draw()
    end, TICK_MS)
  end
end

return M
