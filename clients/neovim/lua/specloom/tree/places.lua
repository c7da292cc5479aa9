--- Where a node leads to, and the window in which to show that. Refuses orders.
local M = {}

---@class specloom.Place
---@field uri? string of a file
---@field line? integer from 0
---@field agent? string whose output it is

---@param p specloom.Projection
---@param id string?
---@return specloom.Place?
local function task_at(p, id)
  local task = id and p.tasks[id]
  return task and { uri = p.spec[task.specId].uri, line = task.line } or nil
end

local function first(items, id)
  for _, item in ipairs(items) do
    if item.id == id then
      return item
    end
  end
end

---@type table<string, fun(p: specloom.Projection, ref: string): specloom.Place?>
local PLACES = {
  task = task_at,
  spec = function(p, ref)
    return { uri = p.spec[ref].uri, line = 0 }
  end,
  approval = function(p, ref)
    local asked = first(p.approvals, ref)
    return asked and task_at(p, asked.taskId)
  end,
  agent = function(p, ref)
    return p.session[ref] and { agent = p.session[ref].agentId }
  end,
  prompt = function(p, ref)
    local prompt = first(p.prompts, ref)
    return prompt and { agent = prompt.agentId }
  end,
}
PLACES.session = PLACES.agent

---@param p specloom.Projection
---@param node specloom.Node
---@return specloom.Place?
function M.of(p, node)
  local find = PLACES[node.kind]
  return find and find(p, node.ref) or nil
end

---The requirement that a node serves first.
---@param p specloom.Projection
---@param node specloom.Node
---@return specloom.Place?
function M.requirement(p, node)
  local served = node.kind == "task" and p.tasks[node.ref].requirements
    or node.kind == "spec" and p.spec[node.ref].requirements
    or {}
  for _, id in ipairs(served) do
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

---Goes to the window in which a person works on files, or makes one.
---@param before integer?
function M.leave(before)
  local windows = vim.list_extend({ before }, vim.api.nvim_tabpage_list_wins(0))
  for _, window in ipairs(windows) do
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
  vim.api.nvim_open_win(vim.api.nvim_get_current_buf(), true, {
    relative = "editor",
    width = math.floor(columns * 0.8),
    height = math.floor(rows * 0.7),
    col = math.floor(columns * 0.1),
    row = math.floor(rows * 0.12),
    border = "rounded",
  })
end

---@param connection specloom.Connection
---@param place specloom.Place
---@param how "edit"|"vsplit"|"split"|"tab"|"float"
---@param before integer?
function M.open(connection, place, how, before)
  M.leave(before)
  if SPLITS[how] then
    vim.cmd(SPLITS[how])
  elseif how == "float" then
    float()
  end
  if place.agent then
    return require("specloom.output").show(connection, place.agent)
  end
  vim.cmd("normal! m'")
  vim.cmd.edit(vim.fn.fnameescape(vim.uri_to_fname(place.uri)))
  pcall(vim.api.nvim_win_set_cursor, 0, { place.line + 1, 0 })
  vim.cmd("normal! zv")
end

return M
