"""Runtimes that run a decoder's weights, behind one interface."""

from ailineage.models.decoder.runtime.base import Decoder
from ailineage.models.decoder.runtime.opening import open_decoder
from ailineage.models.decoder.runtime.scripted import ScriptedDecoder

__all__ = ["Decoder", "ScriptedDecoder", "open_decoder"]
