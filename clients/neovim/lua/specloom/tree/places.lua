--- Where a node leads to, and the window in which to show that. Refuses orders.
local M = {}

---@class specloom.Place
---@field uri? string of a file
---@field line? integer from 0
---@field agent? string whose output it is

---@param p specloom.Projection
---@param node specloom.Node
---@return specloom.Place?
function M.of(p, node)
  local item, kind = node.item, node.kind
  local task = kind == "task" and item or kind == "approval" and p.tasks[item.taskId]
  if task then
    return { uri = p.spec[task.specId].uri, line = task.line }
  elseif kind == "spec" then
    return { uri = item.uri, line = 0 }
  elseif kind == "agent" or kind == "session" or kind == "prompt" then
    return { agent = item.agentId or item.id }
  end
end

---The requirement that a node serves first.
---@param p specloom.Projection
---@param node specloom.Node
---@return specloom.Place?
function M.requirement(p, node)
  local is_served = node.kind == "task" or node.kind == "spec"
  for _, id in ipairs(is_served and node.item.requirements or {}) do
    local found = p.requirements[id]
    if found then
      return { uri = found.uri, line = found.line }
    end
  end
end

local function is_plain(window)
  return vim.api.nvim_win_is_valid(window)
    and vim.api.nvim_win_get_tabpage(window) == vim.api.nvim_get_current_tabpage()
    and vim.api.nvim_win_get_config(window).relative == ""
    and vim.bo[vim.api.nvim_win_get_buf(window)].buftype == ""
end

---Goes to a window in which a person works on files, or makes one.
---@param before integer? that is best, if the current one is none
function M.leave(before)
  local best = { vim.api.nvim_get_current_win(), before }
  for _, window in ipairs(vim.list_extend(best, vim.api.nvim_tabpage_list_wins(0))) do
    if is_plain(window) then
      return vim.api.nvim_set_current_win(window)
    end
  end
  vim.cmd("rightbelow vsplit")
  -- A new window takes the options of the one that it was split from; a new buffer, those of all others.
  vim.api.nvim_win_set_buf(0, vim.api.nvim_create_buf(true, false))
end

local SPLITS = { vsplit = "rightbelow vsplit", split = "rightbelow split", tab = "tab split" }

local function float()
  local columns, rows = vim.o.columns, vim.o.lines
  local place = { relative = "editor", border = "rounded" }
  place.width, place.height = math.floor(columns * 0.8), math.floor(rows * 0.7)
  place.col, place.row = math.floor(columns * 0.1), math.floor(rows * 0.12)
  vim.api.nvim_open_win(vim.api.nvim_get_current_buf(), true, place)
end

---Shows a file in the current window; beside it, where that may not lose what it shows.
---@param path string
---@return boolean
local function edit(path)
  -- Neovim would want to read it again, and refuse that where it was changed.
  if vim.fn.bufadd(path) == vim.api.nvim_get_current_buf() then
    return true
  end
  local function read()
    vim.cmd.edit(vim.fn.fnameescape(path))
  end
  local fine, why = pcall(read)
  if not fine and (why:find("E37:", 1, true) or why:find("E1513:", 1, true)) then
    vim.cmd("rightbelow split")
    vim.wo.winfixbuf = false
    fine, why = pcall(read)
  end
  if not fine then
    require("specloom.tell").warn((why:gsub("^Vim%b():", ""):gsub("^Vim:", "")))
  end
  return fine
end

---@param connection specloom.Connection
---@param place specloom.Place
---@param how "edit"|"vsplit"|"split"|"tab"|"float"
---@param before integer?
function M.open(connection, place, how, before)
  M.leave(before)
  if place.agent and how == "edit" then
    return require("specloom.output").open(connection, place.agent)
  elseif SPLITS[how] then
    vim.cmd(SPLITS[how])
  elseif how == "float" then
    float()
  end
  if place.agent then
    return require("specloom.output").show(connection, place.agent)
  end
  vim.cmd("normal! m'")
  if edit(vim.uri_to_fname(place.uri)) then
    pcall(vim.api.nvim_win_set_cursor, 0, { place.line + 1, 0 })
    vim.cmd("normal! zv")
  end
end

return M
