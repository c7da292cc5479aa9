--- Files between the agent and the buffers: edits as undo steps of their own, saves, what changed on disk.
--- Refuses to save a buffer whose file changed on disk, and to ask anybody about files.
local client = require("specloom.client")

local M = {}

---@param uri string
---@return integer? buf that is loaded
local function loaded(uri)
  local name = vim.fs.normalize(vim.uri_to_fname(uri))
  for _, buf in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_is_loaded(buf) and vim.fs.normalize(vim.api.nvim_buf_get_name(buf)) == name then
      return buf
    end
  end
end

--- What comes next is an undo step of its own, also while somebody types.
---@param buf integer
local function break_undo(buf)
  vim.bo[buf].undolevels = vim.bo[buf].undolevels
end

---@param params lsp.ApplyWorkspaceEditParams
---@return integer[]
local function edited(params)
  local found = {}
  for uri in pairs(params.edit.changes or {}) do
    found[#found + 1] = loaded(uri)
  end
  for _, change in ipairs(params.edit.documentChanges or {}) do
    found[#found + 1] = change.textDocument and loaded(change.textDocument.uri)
  end
  return found
end

--- Neovim keeps marks, folds, cursor and view by itself, but joins edits that come close together, or while somebody
--- types, into one undo step.
---@type lsp.Handler
local function apply_edit(error, params, context)
  local buffers = edited(params)
  -- Neovim prints the label of each edit, over whatever is being read there.
  params.label = nil
  vim.tbl_map(break_undo, buffers)
  local answer = vim.lsp.handlers["workspace/applyEdit"](error, params, context)
  vim.tbl_map(break_undo, buffers)
  return answer
end

---@param buf integer
---@return boolean whether the file is what Neovim read or wrote last
local function is_current(buf)
  local changed = false
  local watch = vim.api.nvim_create_autocmd("FileChangedShell", {
    buffer = buf,
    callback = function()
      changed = true
      vim.v.fcs_choice = ""
    end,
  })
  vim.cmd.checktime(buf)
  vim.api.nvim_del_autocmd(watch)
  return not changed
end

---@param buf integer
---@return boolean
local function saved(buf)
  if not vim.bo[buf].modified then
    return true
  end
  if vim.bo[buf].readonly or vim.bo[buf].buftype ~= "" or not is_current(buf) then
    return false
  end
  local fine, why = pcall(vim.api.nvim_buf_call, buf, function()
    vim.cmd("silent write")
  end)
  if not fine then
    require("specloom.tell").warn(("Specloom: could not save for a check: %s"):format(why))
  end
  return fine and not vim.bo[buf].modified
end

--- Saves the buffers that the server names, as the person's `:write` would.
---@param params specloom.DocumentSaveParams
---@return specloom.DocumentSaveResult
local function save(_, params)
  local done, left = {}, {}
  for _, uri in ipairs(params.uris) do
    local buf = loaded(uri)
    if buf and saved(buf) then
      done[#done + 1] = uri
    elseif buf then
      left[#left + 1] = vim.fn.fnamemodify(vim.uri_to_fname(uri), ":~:.")
    end
  end
  if #left > 0 then
    local form =
      "Specloom: a check waits for %s, whose file changed on disk or is read-only; look, then :write! or :edit!"
    require("specloom.tell").warn(form:format(table.concat(left, ", ")))
  end
  return { saved = done }
end

local pending = false

--- Reads files again that a command of the agent changed; buffers with changes of the person stay as they are.
---@param connection specloom.Connection
local function look_at_disk(connection)
  if pending then
    return
  end
  pending = true
  vim.defer_fn(function()
    pending = false
    if vim.fn.getcmdwintype() ~= "" then
      return
    end
    for _, buf in ipairs(vim.api.nvim_list_bufs()) do
      local bo = vim.bo[buf]
      local ours = vim.startswith(vim.fs.normalize(vim.api.nvim_buf_get_name(buf)), connection.root .. "/")
      -- A buffer without a value of its own follows the global one.
      local reads = bo.autoread
      if reads == nil then
        reads = vim.go.autoread
      end
      if ours and vim.api.nvim_buf_is_loaded(buf) and bo.buftype == "" and not bo.modified and reads then
        vim.cmd.checktime(buf)
      end
    end
  end, 50)
end

local CHANGES_FILES = { toolSettled = true, editSettled = true, checkSettled = true, specWritten = true }

--- Handlers of what the server asks, for the configuration of the language client.
---@return table<string, lsp.Handler>
function M.handlers()
  return { ["workspace/applyEdit"] = apply_edit, ["specloom/document/save"] = save }
end

function M.begin()
  client.on("event", function(connection, event)
    if CHANGES_FILES[event.type] then
      look_at_disk(connection)
    end
  end)
end

return M
