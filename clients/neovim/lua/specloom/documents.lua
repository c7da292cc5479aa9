--- Files between the agent and the buffers: edits as undo steps of their own, saves, what changed on disk.
--- Refuses to save a buffer whose file changed on disk, to load a file for an edit, and to ask anybody about files.
local client = require("specloom.client")

local M = {}

---@param uri string
---@return integer? buf that is loaded
local function loaded(uri)
  local name = vim.uri_to_fname(uri)
  return vim.fn.bufloaded(name) == 1 and vim.fn.bufadd(name) or nil
end

---@param params lsp.ApplyWorkspaceEditParams
---@return integer[] buffers that it changes
---@return string? why it cannot be applied
local function targets(params)
  local buffers, uris = {}, vim.tbl_keys(params.edit.changes or {})
  for _, change in ipairs(params.edit.documentChanges or {}) do
    local uri, version = change.textDocument.uri, change.textDocument.version
    uris[#uris + 1] = uri
    local now = vim.lsp.util.buf_versions[loaded(uri) or -1]
    if type(version) == "number" and version > 0 and now and now > version then
      -- Neovim would say so with a "Press ENTER".
      return {}, "the buffer has changed since"
    end
  end
  for index, uri in ipairs(uris) do
    buffers[index] = loaded(uri)
    if not buffers[index] then
      -- Loading it might ask about a swap file; on disk it can be changed all the same.
      return {}, "the file is not open"
    elseif not vim.bo[buffers[index]].modifiable then
      return {}, "its buffer is not 'modifiable'"
    end
  end
  return buffers
end

--- Neovim keeps marks, folds, cursor and view by itself, but joins edits that come close together, or while somebody
--- types, into one undo step.
---@type lsp.Handler
local function apply_edit(error, params, context)
  local buffers, why = targets(params)
  if why then
    -- Any notice tells first what was typed, so that the edit is made anew on top of it.
    client.call(assert(vim.lsp.get_client_by_id(context.client_id)), "notify", "$/setTrace", { value = "off" })
    return { applied = false, failureReason = why }
  end
  local function break_undo()
    for _, buf in ipairs(buffers) do
      vim.bo[buf].undolevels = vim.bo[buf].undolevels
    end
  end
  -- Neovim prints the label of each edit, over whatever is being read there.
  params.label = nil
  break_undo()
  local answer = vim.lsp.handlers["workspace/applyEdit"](error, params, context)
  break_undo()
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
  elseif vim.bo[buf].readonly or not is_current(buf) then
    return false
  end
  local fine, why = pcall(vim.api.nvim_buf_call, buf, function()
    vim.cmd("silent write")
  end)
  if not fine then
    require("specloom.tell").warn(("could not save for a check: %s"):format(why))
  end
  return fine and not vim.bo[buf].modified
end

--- Saves the buffers that the server names, as the person's `:write` would.
---@param params specloom.DocumentSaveParams
---@return specloom.DocumentSaveResult
local function save(_, params)
  local done, left = {}, {}
  if vim.fn.getcmdwintype() ~= "" then
    -- Neovim saves nothing there; the server takes a later save for as good.
    local function later()
      save(nil, params)
    end
    vim.api.nvim_create_autocmd("CmdwinLeave", { once = true, callback = vim.schedule_wrap(later) })
    return { saved = done }
  end
  for _, uri in ipairs(params.uris) do
    local buf = loaded(uri)
    if buf and saved(buf) then
      done[#done + 1] = uri
    elseif buf then
      left[#left + 1] = vim.fn.fnamemodify(vim.uri_to_fname(uri), ":~:.")
    end
  end
  if #left > 0 then
    local form = "a check waits for %s, whose file changed on disk or is read-only; look, then :write! or :edit!"
    require("specloom.tell").warn(form:format(table.concat(left, ", ")))
  end
  return { saved = done }
end

--- Reads a file again that a command of the agent changed; a buffer with changes of the person stays as it is.
---@param buf integer
---@param root string
local function look_at_disk(buf, root)
  local bo = vim.bo[buf]
  local reads = bo.autoread
  if reads == nil then
    -- A buffer without a value of its own follows the global one.
    reads = vim.go.autoread
  end
  local name = vim.fs.normalize(vim.api.nvim_buf_get_name(buf))
  local is_file = vim.api.nvim_buf_is_loaded(buf) and bo.buftype == "" and vim.startswith(name, root .. "/")
  if is_file and reads and not bo.modified then
    vim.cmd.checktime(buf)
  end
end

local CHANGES_FILES = { toolSettled = true, editSettled = true, checkSettled = true, specWritten = true }
local SOON_MS = 50

--- Handlers of what the server asks, for the configuration of the language client.
---@type table<string, lsp.Handler>
M.HANDLERS = { ["workspace/applyEdit"] = apply_edit, ["specloom/document/save"] = save }

function M.begin()
  local pending = false
  client.on("event", function(connection, event)
    if not CHANGES_FILES[event.type] or pending then
      return
    end
    pending = true
    vim.defer_fn(function()
      pending = false
      for _, buf in ipairs(vim.fn.getcmdwintype() == "" and vim.api.nvim_list_bufs() or {}) do
        look_at_disk(buf, connection.root)
      end
    end, SOON_MS)
  end)
end

return M
